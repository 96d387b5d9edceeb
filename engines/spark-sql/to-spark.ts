import { parse } from '@polyglot-sql/sdk';
import { TerminalError } from '../../ports/errors.ts';
import { expressionTerm } from './expressions.ts';
import { firstOffset, strangers } from './node.ts';
import type { Node } from './node.ts';
import type { Complaint, PortabilityProblem } from './portability.ts';
import { queryText } from './queries.ts';
import { sourceOf } from './source.ts';
import type { Source } from './source.ts';
import { term } from './term.ts';
import type { Translator } from './translator.ts';

/**
 * One select of ours (DuckDB's dialect, within the portable subset) in the SQL of Spark 3.5 that means the same, for a session in UTC with `spark.sql.ansi.enabled`.
 * Throws TerminalError that names everything outside the subset.
 */
export function toSpark(sql: string): string {
  const { text, problems } = translate(sql);
  const [first] = problems;
  if (first === undefined) return text;
  throw new TerminalError({
    place: `line ${first.line}, column ${first.column}`,
    expected: 'SQL that DuckDB and Spark mean alike',
    found: problems
      .map(({ line, column, message }, index) =>
        index === 0 ? message : `line ${line}, column ${column}: ${message}`,
      )
      .join('; '),
    remedy: 'See docs/portable-sql.md, or run this model on DuckDB.',
  });
}

/** Everything in a select that is outside the portable subset, in the order of the text. */
export function portabilityProblems(sql: string): readonly PortabilityProblem[] {
  return [...translate(sql).problems].sort((a, b) => a.line - b.line || a.column - b.column);
}

interface Translated {
  readonly text: string;
  readonly problems: readonly PortabilityProblem[];
}

function translate(sql: string): Translated {
  const source = sourceOf(sql);
  const problems: PortabilityProblem[] = [];
  const complain = (offset: number | null, complaint: Complaint): void =>
    void problems.push(problemAt(source, offset, complaint));
  for (const at of source.wholeDivisions) complain(at, wholeDivision);
  const parsed = parse(readable(sql, source), 'duckdb' as Parameters<typeof parse>[1]);
  if (!parsed.success) {
    if (problems.length === 0) problems.push(unreadable(parsed));
    return { text: '', problems };
  }
  const [statement, ...more] = parsed.ast as unknown as readonly Node[];
  if (statement === undefined || more.length > 0) {
    complain(firstOffset(more), {
      found: `${1 + more.length} statements`,
      because: 'a model is one select',
      portable: 'one select',
    });
    return { text: '', problems };
  }
  const text = queryText(statement, translatorOf(source, complain));
  return { text, problems };
}

const wholeDivision: Complaint = {
  found: '//',
  because: 'Spark has no such operator',
  portable: 'cast(round(cast(a - a % b as double) / nullif(b, 0)) as bigint)',
};

/** The text with `//`, which the parser does not know, as another operator, to find what else is wrong. */
function readable(sql: string, { wholeDivisions }: Source): string {
  const characters = Array.from(sql);
  for (const at of wholeDivisions) characters.splice(at, 2, '*', ' ');
  return characters.join('');
}

function problemAt(
  source: Source,
  offset: number | null,
  { found, because, portable }: Complaint,
): PortabilityProblem {
  return {
    ...source.placeOf(offset),
    found,
    portable,
    message: `${found} is not portable: ${because}. Write ${portable}`,
  };
}

function unreadable(failed: {
  readonly error: string;
  readonly errorLine?: number;
  readonly errorColumn?: number;
}): PortabilityProblem {
  const { errorLine: line = 1, errorColumn: column = 1 } = failed;
  const portable = 'one select of the portable subset';
  return { line, column, found: failed.error, portable, message: `cannot be read: ${failed.error}` };
}

function translatorOf(
  source: Source,
  complain: (offset: number | null, complaint: Complaint) => void,
): Translator {
  const translator: Translator = {
    expression: (node) => expressionTerm(node, translator),
    query: (node) => queryText(node, translator),
    refuse: (node, complaint, at) => {
      complain(at ?? firstOffset(node), complaint);
      return term('null');
    },
    onlyKnows: (fields, known, what) => {
      for (const stranger of strangers(fields, known)) {
        const word = stranger.replace(/_clause$/, '').replaceAll('_', ' ');
        complain(source.find(word.split(' ')[0]!) ?? firstOffset(fields), {
          found: `${what} with ${word}`,
          because: 'it is not in the subset',
          portable: portableClauses[stranger] ?? `it without ${word}`,
        });
      }
    },
    nextCall: (name) => source.nextCall(name),
  };
  return translator;
}

const portableClauses: Readonly<Record<string, string>> = {
  qualify: 'select ... from (select ..., row_number() over (...) as place from ...) t where place = 1',
  distinct_on:
    'row_number() over (partition by ... order by ...) as place in a subquery, and where place = 1',
  except: 'the columns by name',
  replace: 'the columns by name',
  rename: 'the columns by name',
  ignore_nulls: 'max(case when ... then ... end) over (...)',
  order_by: 'row_number() over (order by ...) in a subquery',
  windows: 'the window at each function',
  sample: 'a condition over a hash: where md5(id) < ...',
};
