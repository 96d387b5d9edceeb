import { nearestNames } from '../../dag/nearest-names.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { PlaceOf } from './errors.ts';
import { type Token, tokensOf } from './sql-tokens.ts';

/** One select over tables of the lake, as it is sent. */
export interface BoundStatement {
  readonly sql: string;
  /** The tables it names, by the ledger's names. */
  readonly tables: readonly string[];
  readonly placeOf: PlaceOf;
}

interface Edit {
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

/** A statement, or what stands in parentheses: a select, a join in a from clause, or anything else, where `from` and commas have other meanings. */
interface Scope {
  readonly kind: 'select' | 'join' | 'other';
  isFrom: boolean;
  /** The next thing is a table. */
  expects: boolean;
}

const beginsSelect = new Set(['select', 'with', 'values', 'table']);
const endsFrom = new Set(
  'where group having order limit offset union intersect except window fetch select'.split(' '),
);
const remedy = 'Write one select over <pipeline>.<table> names; see the tables with `ingot lake tables`.';

function lineAndColumn(sql: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = sql.slice(0, offset).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

function refuse(sql: string, at: number, found: string): never {
  const { line, column } = lineAndColumn(sql, at);
  throw new TerminalError({
    place: `line ${line}, column ${column}`,
    expected: 'one read-only select over published tables',
    found,
    remedy,
  });
}

function unknown(sql: string, at: number, name: string, known: readonly string[]): never {
  const near = nearestNames(name, known);
  const { line, column } = lineAndColumn(sql, at);
  throw new TerminalError({
    place: `line ${line}, column ${column}`,
    expected: 'a published table, written <pipeline>.<table>',
    found: name,
    remedy:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : known.length === 0
          ? 'No table is published yet: run a pipeline first.'
          : `Known tables: ${known.slice(0, 10).join(', ')}.`,
  });
}

const isName = (token: Token | undefined): token is Token & { readonly kind: 'word' | 'quoted' } =>
  token?.kind === 'word' || token?.kind === 'quoted';

/** A keyword or mark, lower case; '' for what is quoted. */
function bare(token: Token | undefined): string {
  return token === undefined || token.kind === 'quoted' || token.kind === 'string'
    ? ''
    : token.text.toLowerCase();
}

/** Every `name as (` and `name (columns) as (`: more than the names a with clause gives, never fewer. */
function withNames(tokens: readonly Token[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [at, token] of tokens.entries()) {
    if (!isName(token)) continue;
    let next = at + 1;
    if (bare(tokens[next]) === '(') {
      while (next < tokens.length && bare(tokens[next]) !== ')') next += 1;
      next += 1;
    }
    if (bare(tokens[next]) === 'as' && bare(tokens[next + 1]) === '(') names.add(token.text.toLowerCase());
  }
  return names;
}

class Walk {
  readonly edits: Edit[] = [];
  readonly tables = new Set<string>();
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  readonly #known: ReadonlyMap<string, string>;
  readonly #prefix: string;
  readonly #ctes: ReadonlySet<string>;
  readonly #scopes: Scope[] = [{ kind: 'select', isFrom: false, expects: false }];

  constructor(sql: string, tokens: readonly Token[], known: readonly string[], prefix: string) {
    this.#sql = sql;
    this.#tokens = tokens;
    this.#known = new Map(known.map((name) => [name.toLowerCase(), name]));
    this.#prefix = prefix;
    this.#ctes = withNames(tokens);
  }

  run(): void {
    for (let at = 0; at < this.#tokens.length;) at = this.#step(at);
  }

  #step(at: number): number {
    const scope = this.#scopes.at(-1)!;
    const token = this.#tokens[at]!;
    const word = bare(token);
    if (word === '(') return this.#open(at, scope);
    if (scope.expects && word !== 'lateral') {
      scope.expects = false;
      return this.#table(at);
    }
    if (word === ')') this.#close(token);
    else if (word === ',' && scope.isFrom) scope.expects = true;
    else if (word === 'table' && isName(this.#tokens[at + 1])) scope.expects = true;
    else if (scope.kind !== 'other') this.#keyword(scope, word, at);
    return isName(token) ? this.#qualified(at) : at + 1;
  }

  #open(at: number, scope: Scope): number {
    const isSelect = beginsSelect.has(bare(this.#tokens[at + 1]));
    const isJoin = scope.expects && !isSelect;
    scope.expects = false;
    this.#scopes.push({
      kind: isSelect ? 'select' : isJoin ? 'join' : 'other',
      isFrom: isJoin,
      expects: isJoin,
    });
    return at + 1;
  }

  #close({ at }: Token): void {
    this.#scopes.pop();
    if (this.#scopes.length === 0) refuse(this.#sql, at, 'a parenthesis that was never opened');
  }

  #keyword(scope: Scope, word: string, at: number): void {
    if (word === 'join') scope.expects = true;
    if (scope.kind === 'join') return;
    // `a is distinct from b` names no table.
    if (word === 'from' && bare(this.#tokens[at - 1]) !== 'distinct') {
      scope.isFrom = true;
      scope.expects = true;
    }
    if (endsFrom.has(word)) scope.isFrom = false;
  }

  /** The parts of a dotted name, and the place after it. */
  #name(at: number): { readonly parts: readonly Token[]; readonly next: number } {
    const parts = [this.#tokens[at]!];
    let next = at + 1;
    while (bare(this.#tokens[next]) === '.' && isName(this.#tokens[next + 1])) {
      parts.push(this.#tokens[next + 1]!);
      next += 2;
    }
    return { parts, next };
  }

  #table(at: number): number {
    const token = this.#tokens[at]!;
    if (!isName(token)) return refuse(this.#sql, token.at, `${token.text} in place of a table`);
    const { parts, next } = this.#name(at);
    const name = parts.map(({ text }) => text).join('.');
    if (bare(this.#tokens[next]) === '(') {
      if (bare(token) === 'unnest') return next;
      return refuse(this.#sql, token.at, `the table function ${name}`);
    }
    if (parts.length === 1 && this.#ctes.has(name.toLowerCase())) return next;
    if (parts.length > 2) return refuse(this.#sql, token.at, `a table of another catalog: ${name}`);
    const table = this.#known.get(name.toLowerCase());
    if (table === undefined) return unknown(this.#sql, token.at, name, [...this.#known.values()]);
    this.tables.add(table);
    this.#edit(parts, table);
    return next;
  }

  /** A column may be written with its table's full name: `payments.curated.id`. */
  #qualified(at: number): number {
    const { parts, next } = this.#name(at);
    const isStar = bare(this.#tokens[next]) === '.' && bare(this.#tokens[next + 1]) === '*';
    const table = this.#known.get(
      parts
        .slice(0, 2)
        .map(({ text }) => text.toLowerCase())
        .join('.'),
    );
    if (table !== undefined && (parts.length > 2 || (parts.length === 2 && isStar)))
      this.#edit(parts.slice(0, 2), table);
    return next;
  }

  #edit(parts: readonly Token[], table: string): void {
    if (this.#prefix === '') return;
    const [pipeline = '', name = ''] = table.toLowerCase().split('.');
    this.edits.push({ at: parts[0]!.at, end: parts[1]!.end, text: `"${this.#prefix}${pipeline}"."${name}"` });
  }
}

function edited(sql: string, edits: readonly Edit[]): { readonly sql: string; readonly placeOf: PlaceOf } {
  const sent = edits
    .toReversed()
    .reduce((text, { at, end, text: by }) => text.slice(0, at) + by + text.slice(end), sql);
  const placeOf: PlaceOf = (line, column) => {
    const before = sent.split('\n').slice(0, line - 1);
    let offset = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
    for (const { at, end, text } of edits) {
      if (offset < at) break;
      offset = offset < at + text.length ? at : offset - (text.length - (end - at));
    }
    return lineAndColumn(sql, offset);
  };
  return { sql: sent, placeOf };
}

/**
 * Checks that the text is one select that reads nothing but the known tables (`<pipeline>.<table>`), and names their databases. What is wrong inside of it
 * Athena tells. Throws TerminalError with line and column.
 */
export function bindStatement(given: string, known: readonly string[], prefix: string): BoundStatement {
  const all = tokensOf(given);
  const last = all.findLastIndex((token) => bare(token) !== ';');
  const tokens = all.slice(0, last + 1);
  const [first] = tokens;
  if (first === undefined) return refuse(given, 0, 'no statement');
  if (!['select', 'with', '('].includes(bare(first)))
    return refuse(given, first.at, `a statement that begins with ${first.text}`);
  const second = tokens.find((token) => bare(token) === ';');
  if (second !== undefined) return refuse(given, second.at, 'more than one statement');
  const walk = new Walk(given, tokens, known, prefix);
  walk.run();
  const { sql, placeOf } = edited(given.slice(0, tokens.at(-1)!.end), walk.edits);
  return { sql, tables: [...walk.tables], placeOf };
}
