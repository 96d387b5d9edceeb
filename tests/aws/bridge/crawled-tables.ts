import type { FoundTable } from './crawled-layout.ts';
import type { CrawledColumn, CrawledSchema } from './crawled-schema.ts';
import { ServiceError, type Fields } from './call.ts';
import type { EmulatorCalls } from './emulator-calls.ts';
import type { GluePartitions, GlueTable } from './glue-partitions.ts';

export interface CrawledInto {
  readonly emulator: EmulatorCalls;
  readonly partitions: GluePartitions;
  readonly crawler: string;
  readonly database: string;
  readonly prefix: string;
  /** LOG leaves a table as it is; DELETE_FROM_DATABASE takes away partitions whose files are gone. */
  readonly policy: { readonly UpdateBehavior?: string; readonly DeleteBehavior?: string };
}

const formats = {
  csv: {
    InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
    library: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
  },
  parquet: {
    InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    library: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
  },
};

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  return await answer.catch((error: unknown) => {
    if (error instanceof ServiceError && error.code === 'EntityNotFoundException') return null;
    throw error;
  });
}

async function ensureDatabase({ emulator, database }: CrawledInto): Promise<void> {
  const found = await orNull(emulator.call('AWSGlue.GetDatabase', { Name: database }));
  if (found === null) await emulator.call('AWSGlue.CreateDatabase', { DatabaseInput: { Name: database } });
}

function parameters(into: CrawledInto, table: FoundTable, schema: CrawledSchema): Fields {
  return {
    CrawlerSchemaDeserializerVersion: '1.0',
    CrawlerSchemaSerializerVersion: '1.0',
    UPDATED_BY_CRAWLER: into.crawler,
    classification: schema.classification,
    compressionType: 'none',
    objectCount: String(table.files.length),
    sizeKey: String(table.files.reduce((sum, { bytes }) => sum + bytes, 0)),
    typeOfData: 'file',
    ...(schema.csv === null ? {} : { columnsOrdered: 'true', areColumnsQuoted: 'false' }),
    ...(schema.csv === null ? {} : { delimiter: schema.csv.delimiter }),
    ...(schema.csv?.hasHeader ? { 'skip.header.line.count': '1' } : {}),
  };
}

function descriptor(
  into: CrawledInto,
  table: FoundTable,
  schema: CrawledSchema,
  columns: readonly CrawledColumn[],
): Fields {
  const { library, ...format } = formats[schema.classification];
  const serde =
    schema.csv === null ? { 'serialization.format': '1' } : { 'field.delim': schema.csv.delimiter };
  return {
    Columns: columns,
    Location: table.location,
    ...format,
    Compressed: false,
    NumberOfBuckets: -1,
    SerdeInfo: { SerializationLibrary: library, Parameters: serde },
    BucketColumns: [],
    SortColumns: [],
    Parameters: parameters(into, table, schema),
    StoredAsSubDirectories: false,
  };
}

/** Columns that went away stay, as with a crawler's default; a type that changed is the new one. */
function merged(old: GlueTable | null, found: readonly CrawledColumn[]): CrawledColumn[] {
  const before = (old?.StorageDescriptor?.['Columns'] ?? []) as readonly CrawledColumn[];
  const kept = before.map((column) => found.find(({ Name }) => Name === column.Name) ?? column);
  return [...kept, ...found.filter(({ Name }) => !before.some((column) => column.Name === Name))];
}

function syncPartitions(into: CrawledInto, name: string, table: FoundTable, storage: Fields): void {
  const place = { DatabaseName: into.database, TableName: name };
  if (into.policy.DeleteBehavior === 'DELETE_FROM_DATABASE') {
    const found = new Set(table.partitions.map(({ values }) => JSON.stringify(values)));
    for (const { Values } of into.partitions.of(place))
      if (!found.has(JSON.stringify(Values))) into.partitions.remove(place, Values);
  }
  for (const { values, location } of table.partitions)
    into.partitions.put(place, {
      Values: values,
      StorageDescriptor: { ...storage, Location: location },
      Parameters: storage['Parameters'] as Fields,
    });
}

/** Registers a table that a crawl found, with its partitions, and says whether it is new. */
export async function registerCrawled(
  into: CrawledInto,
  table: FoundTable,
  schema: CrawledSchema,
): Promise<boolean> {
  await ensureDatabase(into);
  const name = `${into.prefix}${table.name}`;
  const old = await orNull(into.partitions.table({ DatabaseName: into.database, TableName: name }));
  const storage = descriptor(into, table, schema, merged(old, schema.columns));
  const TableInput = {
    Name: name,
    Owner: 'owner',
    Retention: 0,
    TableType: 'EXTERNAL_TABLE',
    Parameters: storage['Parameters'],
    PartitionKeys: table.partitionKeys.map((key) => ({ Name: key, Type: 'string' })),
    StorageDescriptor: storage,
  };
  if (old === null || into.policy.UpdateBehavior !== 'LOG') {
    const target = old === null ? 'AWSGlue.CreateTable' : 'AWSGlue.UpdateTable';
    await into.emulator.call(target, { DatabaseName: into.database, TableInput });
  }
  syncPartitions(into, name, table, storage);
  return old === null;
}
