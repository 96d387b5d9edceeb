import { basename } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { PartitionLog, PartitionVersion } from '../../ports/ledger.ts';
import type { TextRow } from './rows.ts';

/** What is needed to look at what readers of a lake see: the ledger's pointers and the place of the files. */
export interface LakeView {
  readonly ledger: Pick<PartitionLog, 'partitions' | 'tables'>;
  readonly location: (key: string) => string;
}

const timestamps = new Set(['txn_ts', 'purchased_at']);
const lists = new Set(['reasons']);

/** Opens an engine of the test's own: nothing here goes through the product's. */
async function withDuckDb<T>(body: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    return await body(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The published rows of a table, as text. */
export async function publishedRows(
  lake: LakeView,
  table: string,
  columns: readonly string[],
): Promise<TextRow[]> {
  const known = (await lake.ledger.tables()).some(({ name }) => name === table);
  const partitions = known
    ? (await lake.ledger.partitions(table)).filter(({ files }) => files.length > 0)
    : [];
  if (partitions.length === 0) return [];
  return withDuckDb(async (connection) => {
    const sql = partitions.map((partition) => selectOf(lake, partition, columns)).join('\nunion all\n');
    const rows = (await connection.runAndReadAll(sql)).getRows();
    return rows.map((row) =>
      Object.fromEntries(
        columns.map((column, index) => [column, canonical(column, row[index] as string | null)]),
      ),
    );
  });
}

function selectOf(
  lake: LakeView,
  { partition, files }: PartitionVersion,
  columns: readonly string[],
): string {
  const paths = files.map(({ key }) => `'${lake.location(key).replaceAll("'", "''")}'`).join(', ');
  const items = columns.map((column) => {
    const constant = partition[column];
    return constant === undefined ? textOf(column) : `'${constant}'`;
  });
  return `select ${items.join(', ')} from read_parquet([${paths}], hive_partitioning = false)`;
}

function textOf(column: string): string {
  if (timestamps.has(column)) return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f')`;
  if (lists.has(column)) return `array_to_string(${column}, ',')`;
  return `cast(${column} as varchar)`;
}

/** Differences of form that carry no meaning: an empty country, a folder in front of a file's name, white space in JSON. */
function canonical(column: string, value: string | null): string | null {
  if (column === 'country') return value ?? '';
  if (value === null) return null;
  if (column === 'source_file') return basename(value);
  if (column === 'raw' && value.startsWith('[')) return reprinted(value);
  return value;
}

function reprinted(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return json;
  }
}

/** Pointers that lie: a file that is not there, or has other rows than the ledger says. */
export async function brokenPointers(lake: LakeView): Promise<string[]> {
  const tables = (await lake.ledger.tables()).filter(
    ({ zone, name }) => zone !== 'raw' || !name.endsWith('_files'),
  );
  const found: string[] = [];
  await withDuckDb(async (connection) => {
    for (const { name } of tables)
      for (const { partitionText, files, rows } of await lake.ledger.partitions(name)) {
        if (files.reduce((total, file) => total + file.rows, 0) !== rows)
          found.push(`${name}/${partitionText}: files do not add up to ${rows}`);
        for (const file of files) {
          const path = lake.location(file.key).replaceAll("'", "''");
          const counted = await connection
            .runAndReadAll(`select count(*) from read_parquet('${path}')`)
            .then((result) => Number(result.getRows()[0]![0]))
            .catch((error: Error) => error.message);
          if (counted !== file.rows)
            found.push(`${name}/${partitionText}: ${file.key} has ${counted}, not ${file.rows} rows`);
        }
      }
  });
  return found;
}
