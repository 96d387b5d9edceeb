import type { Column } from '../../../dag/relation.ts';
import type { ObjectStore } from '../../../ports/object-store.ts';
import type {
  InputRelation,
  OutputRelation,
  SqlEngine,
  SqlJob,
  WrittenPartition,
} from '../../../ports/sql-engine.ts';

export interface SqlEngineFixture extends AsyncDisposable {
  readonly engine: SqlEngine;
  /** The store the engine reads and writes. */
  readonly objects: ObjectStore;
}

/** Opens an engine over an empty store, with a memory limit of about `memoryLimitBytes` (default: plenty). */
export type OpenSqlEngine = (options?: {
  readonly memoryLimitBytes?: number;
  readonly maxFileBytes?: number;
}) => Promise<SqlEngineFixture>;

let jobs = 0;

export function job(parts: Partial<SqlJob>): SqlJob {
  jobs += 1;
  return {
    id: `test.job/${process.pid}/${jobs}`,
    inputs: [],
    inline: [],
    steps: [],
    outputs: [],
    measures: [],
    ...parts,
  };
}

export function column(name: string, type: Column['type'], nullable = true): Column {
  return { name, type, nullable };
}

export function output(
  select: string,
  columns: readonly Column[],
  parts: Partial<OutputRelation> = {},
): OutputRelation {
  jobs += 1;
  return { name: 'out', select, columns, partitionBy: [], prefix: `out/${jobs}`, ...parts };
}

/** What was written, as the input of a next job. */
export function input(
  name: string,
  written: readonly WrittenPartition[],
  columns: readonly Column[],
  partitionBy: readonly string[] = [],
): InputRelation {
  return {
    name,
    columns,
    partitionBy,
    files: written.flatMap(({ partition, files }) => files.map(({ key }) => ({ key, partition }))),
  };
}

/** Writes one output and gives its partitions. */
export async function write(engine: SqlEngine, one: OutputRelation): Promise<readonly WrittenPartition[]> {
  return (await engine.run(job({ outputs: [one] }))).outputs[one.name]!;
}

/** Rows of a select over inputs, each as the list of its values. */
export async function rows(
  engine: SqlEngine,
  sql: string,
  inputs: readonly InputRelation[] = [],
): Promise<unknown[][]> {
  const result = await engine.run(job({ inputs, measures: [{ name: 'rows', sql }] }));
  return result.measures['rows']!.map((row) => Object.values(row));
}

export async function keys(objects: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const object of objects.list(prefix)) found.push(object.key);
  return found;
}
