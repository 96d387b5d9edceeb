import { TerminalError } from '../../ports/errors.ts';

/** A node of DuckDB's own syntax tree, as `json_serialize_sql` prints it. */
export type Node = { readonly [key: string]: unknown };

/** One mention of a lake table, with the conditions that decide which of its rows the query can use. */
export interface TableReference {
  readonly name: string;
  /** Condition and the names under which it may speak of this table's columns: an empty one stands for no qualifier. */
  readonly conditions: readonly Node[];
  readonly qualifiers: readonly string[];
}

interface FromItem {
  readonly node: Node;
  /** Filtering this table by the where clause before the join gives the same rows as after it. */
  readonly filterable: boolean;
}

/** Table functions that read nothing but their arguments. */
const harmless = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
]);

const remedy = 'Write one select over <pipeline>.<table> names; see the tables with `ingot lake tables`.';

function refuse(found: string): never {
  throw new TerminalError({ expected: 'one read-only select over published tables', found, remedy });
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function nodes(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function cteNames(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) cteNames(item, found);
  else if (isNode(value)) {
    if (isNode(value['cte_map']))
      for (const entry of nodes(value['cte_map']['map'])) found.add(text(entry['key']).toLowerCase());
    for (const item of Object.values(value)) cteNames(item, found);
  }
  return found;
}

/** Parts of a condition that must all hold. */
function conjuncts(condition: unknown): Node[] {
  if (!isNode(condition)) return [];
  return condition['type'] === 'CONJUNCTION_AND'
    ? nodes(condition['children']).flatMap(conjuncts)
    : [condition];
}

class References {
  readonly found: TableReference[] = [];
  readonly #ctes: ReadonlySet<string>;

  constructor(ctes: ReadonlySet<string>) {
    this.#ctes = ctes;
  }

  walk(value: unknown): void {
    if (Array.isArray(value)) for (const item of value) this.walk(item);
    if (!isNode(value)) return;
    if (value['type'] === 'SELECT_NODE') return this.#select(value);
    if (value['type'] === 'BASE_TABLE') return this.#table(value, [], []);
    if (value['type'] === 'TABLE_FUNCTION') this.#tableFunction(value);
    if (value['type'] === 'SHOW_REF' && !isNode(value['query'])) refuse('a SHOW statement');
    for (const item of Object.values(value)) this.walk(item);
  }

  #tableFunction(node: Node): void {
    const name = isNode(node['function']) ? text(node['function']['function_name']).toLowerCase() : '';
    if (!harmless.has(name)) refuse(`the table function ${name}, which could read beyond the lake`);
  }

  #select(node: Node): void {
    const items = this.#from(node['from_table'], true);
    const conditions = conjuncts(node['where_clause']);
    for (const { node: item, filterable } of items) {
      if (item['type'] !== 'BASE_TABLE') this.walk(item);
      else if (!filterable || item['sample'] !== null || (item['column_name_alias'] as unknown[]).length > 0)
        this.#table(item, [], []);
      else this.#table(item, conditions, this.#qualifiers(item, items));
    }
    for (const [key, value] of Object.entries(node)) if (key !== 'from_table') this.walk(value);
  }

  #from(node: unknown, filterable: boolean): FromItem[] {
    if (!isNode(node)) return [];
    if (node['type'] !== 'JOIN') return [{ node, filterable }];
    this.walk(node['condition']);
    const plain = ['REGULAR', 'CROSS', 'NATURAL'].includes(text(node['ref_type']));
    const inner = plain && node['join_type'] === 'INNER';
    const left = inner || (plain && node['join_type'] === 'LEFT');
    return [
      ...this.#from(node['left'], filterable && left),
      ...this.#from(node['right'], filterable && inner),
    ];
  }

  #qualifiers(item: Node, items: readonly FromItem[]): string[] {
    const alias = (node: Node) => (text(node['alias']) || text(node['table_name'])).toLowerCase();
    const own = alias(item);
    if (items.length === 1) return ['', own];
    return items.filter(({ node }) => alias(node) === own).length === 1 ? [own] : [];
  }

  #table(node: Node, conditions: readonly Node[], qualifiers: readonly string[]): void {
    const schema = text(node['schema_name']);
    const table = text(node['table_name']);
    if (schema === '' && this.#ctes.has(table.toLowerCase())) return;
    if (text(node['catalog_name']) !== '')
      refuse(`a table of another database: ${text(node['catalog_name'])}.${schema}.${table}`);
    this.found.push({ name: schema === '' ? table : `${schema}.${table}`, conditions, qualifiers });
  }
}

/** Every mention of a table in a parsed statement. Throws TerminalError for what is not one plain select. */
export function tableReferences(serialized: string, sql: string): readonly TableReference[] {
  // The tree writes "nowhere" as 2^64 - 1, which no JavaScript number holds.
  const tree = JSON.parse(
    serialized.replaceAll('"query_location":18446744073709551615', '"query_location":0'),
  ) as Node;
  if (tree['error'] === true) {
    if (tree['error_type'] === 'not implemented') refuse('a statement that is no select');
    const before = Buffer.from(sql)
      .subarray(0, Number(tree['position'] ?? 0))
      .toString()
      .split('\n');
    const place =
      tree['position'] === undefined
        ? {}
        : { place: `line ${before.length}, column ${before.at(-1)!.length + 1}` };
    throw new TerminalError({
      expected: 'SQL that parses',
      found: text(tree['error_message']),
      remedy: 'Correct the SQL.',
      ...place,
    });
  }
  const statements = nodes(tree['statements']);
  if (statements.length !== 1) refuse(`${statements.length} statements`);
  const references = new References(cteNames(statements));
  references.walk(statements);
  return references.found;
}
