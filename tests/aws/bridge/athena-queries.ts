import { randomUUID } from 'node:crypto';
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api';
import { transpile, Dialect } from '@polyglot-sql/sdk';
import { athenaText, athenaType, precisionOf } from './athena-values.ts';
import type { QueryRows } from './athena-results.ts';
import { createCatalogView } from './catalog-views.ts';
import type { EmulatorCalls } from './emulator-calls.ts';
import { ServiceError } from './call.ts';
import type { GluePartitions, GlueTable } from './glue-partitions.ts';
import { named, type LakeReader } from './lake-reader.ts';

export interface QuerySpec {
  readonly sql: string;
  readonly parameters: readonly string[];
  readonly database: string | null;
}

export interface QueryEngine {
  readonly emulator: EmulatorCalls;
  readonly partitions: GluePartitions;
  readonly openReader: (accessKey: string) => Promise<LakeReader>;
}

export interface QueryAnswer extends QueryRows {
  readonly bytesScanned: number;
}

const otherStatements =
  /^\s*(alter|analyze|call|create|deallocate|delete|describe|drop|execute|explain|insert|merge|msck|optimize|prepare|show|truncate|unload|update|vacuum)\b/i;

/** Trino's SQL in DuckDB's words; throws what Athena says of a statement that does not parse. */
export function duckdbSql(sql: string): string {
  if (otherStatements.test(sql)) return sql;
  const { sql: statements, error } = transpile(sql, Dialect.Trino, Dialect.DuckDB);
  const [translated, ...more] = statements ?? [];
  if (translated === undefined || more.length > 0)
    throw new ServiceError('InvalidRequestException', error ?? 'Only one sql statement is allowed', {
      AthenaErrorCode: 'MALFORMED_QUERY',
    });
  return translated;
}

async function tablesIn({ emulator }: QueryEngine, spec: QuerySpec): Promise<GlueTable[]> {
  const words = new Set(spec.sql.toLowerCase().match(/\w+/g));
  const { DatabaseList } = await emulator.call('AWSGlue.GetDatabases', {});
  const names = (DatabaseList as { Name: string }[]).map(({ Name }) => Name);
  const found: GlueTable[] = [];
  for (const DatabaseName of names.filter(
    (name) => name === spec.database || words.has(name.toLowerCase()),
  )) {
    const { TableList } = await emulator.call('AWSGlue.GetTables', { DatabaseName });
    const tables = TableList as (Partial<GlueTable> & { Name: string })[];
    for (const table of tables.filter(({ Name }) => words.has(Name.toLowerCase())))
      found.push({ PartitionKeys: [], ...table, DatabaseName });
  }
  return found;
}

async function useCatalog(connection: DuckDBConnection, database: string | null): Promise<void> {
  if (database === null) return;
  await connection.run(`create schema if not exists ${named(database)}`);
  await connection.run(`use awsdatacatalog.${named(database)}`);
}

async function readRows(connection: DuckDBConnection, spec: QuerySpec): Promise<QueryRows> {
  const values = spec.parameters.length === 0 ? '' : `(${spec.parameters.join(', ')})`;
  const result = await connection.runAndReadAll(`execute query${values}`);
  const types: readonly DuckDBType[] = result.columnTypes();
  return {
    columns: {
      names: result.columnNames(),
      types: types.map(athenaType),
      precisions: types.map(precisionOf),
    },
    rows: result
      .getRows()
      .map((row) => row.map((value, index) => athenaText(value, types[index] as DuckDBType))),
  };
}

/** Runs one query over the registered partitions of the catalog. Rejects with DuckDB's error, or the signal's reason. */
export async function runQuery(
  engine: QueryEngine,
  spec: QuerySpec,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  if (otherStatements.test(spec.sql))
    throw new Error('NOT_SUPPORTED: the test bed answers queries and nothing else');
  const reader = await engine.openReader(`athena-${randomUUID()}`);
  const { connection } = reader;
  const stop = (): void => connection.interrupt();
  signal.addEventListener('abort', stop);
  try {
    await connection.run("attach ':memory:' as awsdatacatalog");
    await connection.run('use awsdatacatalog');
    await connection.run('set integer_division = true');
    // The one function of Trino that the translation knew by no other name when this was written.
    await connection.run('create temp macro sequence(a, b) as generate_series(a, b)');
    await connection.run('set enable_external_file_cache = false');
    for (const table of await tablesIn(engine, spec)) await createCatalogView({ ...engine, reader }, table);
    await useCatalog(connection, spec.database);
    signal.throwIfAborted();
    await connection.run(`prepare query as ${duckdbSql(spec.sql)}`);
    // What planning reads of the files is not the query's.
    const before = reader.bytesRead();
    const answer = await readRows(connection, spec);
    return { ...answer, bytesScanned: reader.bytesRead() - before };
  } finally {
    signal.removeEventListener('abort', stop);
    reader.close();
  }
}
