import type { Column, Table } from '../../dag/relation.ts';
import type { PartitionVersion } from '../../ports/ledger.ts';
import { losslessCast } from './lossless-cast.ts';
import type { Node, TableReference } from './query-statement.ts';
import type { Session } from './session.ts';
import { identifier, literal } from './sql-text.ts';

const label = 'partition pruning';
const plainClasses = new Set(['COMPARISON', 'BETWEEN', 'CONJUNCTION', 'CAST', 'CASE', 'OPERATOR']);

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The condition with its columns unqualified, or null when it speaks of anything but the partition columns. */
function onPartition(
  condition: unknown,
  qualifiers: readonly string[],
  partitionBy: ReadonlySet<string>,
  pure: ReadonlySet<string>,
): unknown {
  let columns = 0;
  let sound = true;
  const rewrite = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewrite);
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) sound = false;
    if (!isNode(value)) return value;
    const kind = value['class'];
    if (kind === 'COLUMN_REF') {
      const names = value['column_names'] as string[];
      const name = names.at(-1)!;
      const qualifier = names.length === 1 ? '' : names.length === 2 ? names[0]!.toLowerCase() : null;
      if (qualifier === null || !qualifiers.includes(qualifier) || !partitionBy.has(name.toLowerCase()))
        sound = false;
      columns += 1;
      return { ...value, column_names: [name] };
    }
    if (kind === 'FUNCTION' && !pure.has(value['function_name'] as string)) sound = false;
    if (kind !== undefined && kind !== 'FUNCTION' && kind !== 'CONSTANT' && !plainClasses.has(kind as string))
      sound = false;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rewrite(item)]));
  };
  const rewritten = rewrite(condition);
  return sound && columns > 0 ? rewritten : null;
}

/** Functions that give the same answer whenever and however often they are asked. */
async function pureFunctions(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.texts({
    label,
    sql: `SELECT function_name FROM duckdb_functions() WHERE function_type = 'scalar' GROUP BY function_name HAVING bool_and(stability = 'CONSISTENT')`,
  });
  return new Set(rows.map((row) => row['function_name']!));
}

function candidates(
  table: Table,
  columns: readonly Column[],
  partitions: readonly PartitionVersion[],
): string {
  const names = columns.map((column) => identifier(column.name));
  const rows = partitions.map(
    (partition, at) =>
      `(${[String(at), ...columns.map((column) => literal(partition.partition[column.name] ?? ''))].join(', ')})`,
  );
  const typed = columns.map(
    (column, at) =>
      `${losslessCast(names[at]!, 'VARCHAR', column.type, `${table.name}.${column.name}`)} AS ${names[at]}`,
  );
  return `SELECT __n, ${typed.join(', ')} FROM (VALUES ${rows.join(', ')}) AS v(__n, ${names.join(', ')})`;
}

/** The select `SELECT __n FROM __candidates WHERE <condition>` with the condition given as a tree. */
async function statementText(session: Session, condition: unknown): Promise<string> {
  const [template] = await session.texts({
    label,
    sql: `SELECT json_serialize_sql('SELECT __n FROM __candidates WHERE true')::VARCHAR AS tree`,
  });
  const tree = JSON.parse(template!['tree']!.replaceAll('18446744073709551615', '0')) as {
    statements: { node: Record<string, unknown> }[];
  };
  tree.statements[0]!.node['where_clause'] = condition;
  const [row] = await session.texts({
    label,
    sql: `SELECT json_deserialize_sql(${literal(JSON.stringify(tree))}::JSON) AS sql`,
  });
  return row!['sql']!;
}

/** Positions of the partitions for which the condition is true; all of them when DuckDB cannot tell. */
async function satisfying(session: Session, condition: unknown, count: number): Promise<ReadonlySet<number>> {
  try {
    const rows = await session.rows({ label, sql: await statementText(session, condition) });
    return new Set(rows.map((row) => Number(row['__n'])));
  } catch (error) {
    session.throwIfAborted(error);
    // Whatever is wrong with the condition, the query itself will say so better.
    return new Set(Array.from({ length: count }, (_, at) => at));
  }
}

/**
 * The partitions a query can take rows from. Each condition on partition columns alone is evaluated by DuckDB itself over
 * the list of partitions, with the types the query will see, so that pruning cannot disagree with the query; anything else
 * prunes nothing. A table mentioned several times keeps what any mention needs.
 */
export async function neededPartitions(
  session: Session,
  table: Table,
  references: readonly TableReference[],
  partitions: readonly PartitionVersion[],
): Promise<readonly PartitionVersion[]> {
  const columns = table.partitionBy.map(
    (name) =>
      table.columns.find((column) => column.name === name) ?? {
        name,
        type: 'text' as const,
        nullable: false,
      },
  );
  if (columns.length === 0 || partitions.length === 0) return partitions;
  const partitionBy = new Set(columns.map((column) => column.name.toLowerCase()));
  const pure = await pureFunctions(session);
  const usable = references.map((reference) =>
    reference.conditions
      .map((condition) => onPartition(condition, reference.qualifiers, partitionBy, pure))
      .filter((condition) => condition !== null),
  );
  if (usable.some((conditions) => conditions.length === 0)) return partitions;
  await session.run({
    label,
    sql: `CREATE OR REPLACE TEMP TABLE __candidates AS ${candidates(table, columns, partitions)}`,
  });
  const needed = new Set<number>();
  for (const conditions of usable) {
    const sets: ReadonlySet<number>[] = [];
    for (const condition of conditions) sets.push(await satisfying(session, condition, partitions.length));
    for (const at of partitions.keys()) if (sets.every((set) => set.has(at))) needed.add(at);
  }
  return partitions.filter((_, at) => needed.has(at));
}
