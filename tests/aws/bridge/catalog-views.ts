import { duckdbType } from './hive-types.ts';
import type { Fields } from './call.ts';
import type { EmulatorCalls } from './emulator-calls.ts';
import type { GluePartitions, GlueTable, Partition } from './glue-partitions.ts';
import { textOr } from './named-input.ts';
import { filesBelow, listed, named, quoted, type LakeReader, type StoredFile } from './lake-reader.ts';

interface Column {
  readonly Name: string;
  readonly Type: string;
}

function columnsOf(descriptor: Fields | undefined): readonly Column[] {
  return (descriptor?.['Columns'] ?? []) as readonly Column[];
}

async function parquetColumns(reader: LakeReader, scan: string): Promise<Set<string>> {
  const found = await reader.connection.runAndReadAll(`select * from ${scan} limit 0`);
  return new Set(found.columnNames().map((name) => name.toLowerCase()));
}

/** Columns by name; one that the files do not have is null. */
async function parquetSelect(reader: LakeReader, columns: readonly Column[], files: readonly StoredFile[]) {
  const scan = `read_parquet(${listed(files)}, union_by_name = true, hive_partitioning = false)`;
  const present = await parquetColumns(reader, scan);
  const list = columns.map(({ Name, Type }) => {
    const value = present.has(Name.toLowerCase()) ? named(Name) : 'null';
    return `cast(${value} as ${duckdbType(Type)}) as ${named(Name)}`;
  });
  return { list, scan };
}

/** Columns by position, as Hive's text formats have them. */
function csvSelect(table: GlueTable, columns: readonly Column[], files: readonly StoredFile[]) {
  const serde = (table.StorageDescriptor?.['SerdeInfo'] ?? {}) as {
    SerializationLibrary?: string;
    Parameters?: Record<string, string>;
  };
  const isQuoted = serde.SerializationLibrary?.endsWith('OpenCSVSerde') ?? false;
  const delimiter = serde.Parameters?.['field.delim'] ?? serde.Parameters?.['separatorChar'] ?? ',';
  const skip = Number(table.Parameters?.['skip.header.line.count'] ?? 0);
  const types = columns.map(({ Name }) => `${quoted(Name)}: 'varchar'`).join(', ');
  const quote = isQuoted ? quoted(serde.Parameters?.['quoteChar'] ?? '"') : "''";
  const options = `header = false, auto_detect = false, skip = ${skip}, delim = ${quoted(delimiter)}, quote = ${quote}`;
  const list = columns.map(
    ({ Name, Type }) => `try_cast(${named(Name)} as ${duckdbType(Type)}) as ${named(Name)}`,
  );
  const nulls = "null_padding = true, nullstr = '\\N', hive_partitioning = false";
  return { list, scan: `read_csv(${listed(files)}, ${options}, columns = {${types}}, ${nulls})` };
}

export interface CatalogViews {
  readonly emulator: EmulatorCalls;
  readonly partitions: GluePartitions;
  readonly reader: LakeReader;
}

async function selectOf(views: CatalogViews, table: GlueTable, partition: Partition): Promise<string | null> {
  const location = textOr(partition.StorageDescriptor ?? table.StorageDescriptor ?? {}, 'Location', '');
  const files = await filesBelow(views.emulator, location);
  if (files.length === 0) return null;
  const columns = columnsOf(table.StorageDescriptor);
  const isParquet = String(table.StorageDescriptor?.['InputFormat']).toLowerCase().includes('parquet');
  const { list, scan } = isParquet
    ? await parquetSelect(views.reader, columns, files)
    : csvSelect(table, columns, files);
  const keys = table.PartitionKeys.map(
    ({ Name, Type = 'string' }, index) =>
      `cast(${quoted(partition.Values[index] ?? '')} as ${duckdbType(Type)}) as ${named(Name)}`,
  );
  return `select ${[...list, ...keys].join(', ')} from ${scan}`;
}

/** A view of exactly the registered partitions' locations, as Athena reads a table; unpartitioned, of the table's location. */
export async function createCatalogView(views: CatalogViews, table: GlueTable): Promise<void> {
  const { DatabaseName, Name, PartitionKeys, StorageDescriptor } = table;
  const registered =
    PartitionKeys.length === 0 ? [{ Values: [] }] : views.partitions.of({ DatabaseName, TableName: Name });
  const selects: string[] = [];
  for (const partition of registered) {
    const select = await selectOf(views, table, partition);
    if (select !== null) selects.push(select);
  }
  const empty = [...columnsOf(StorageDescriptor), ...PartitionKeys].map(
    (column) => `cast(null as ${duckdbType(column.Type ?? 'string')}) as ${named(column.Name)}`,
  );
  selects.push(`select ${empty.join(', ')} where false`);
  await views.reader.connection.run(`create schema if not exists ${named(DatabaseName)}`);
  await views.reader.connection.run(
    `create view ${named(DatabaseName)}.${named(Name)} as ${selects.join(' union all ')}`,
  );
}
