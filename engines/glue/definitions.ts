import type {
  Column as GlueColumn,
  Partition,
  PartitionInput,
  StorageDescriptor,
  Table,
  TableInput,
} from '@aws-sdk/client-glue';
import type { Column } from '../../dag/relation.ts';
import type { PublishedTable } from '../../ports/catalog-log.ts';
import type { PartitionVersion } from '../../ports/ledger.ts';
import { hiveType } from './hive-types.ts';

/** Parameters of tables and partitions by which the catalog's entries are known for ours. */
export const marks = {
  lake: 'ingot.lake',
  version: 'ingot.version',
  publication: 'ingot.publication',
  rows: 'ingot.rows',
} as const;

const maxDescription = 2048;
const maxComment = 255;

function glueColumn({ name, type, description }: Column): GlueColumn {
  return {
    Name: name.toLowerCase(),
    Type: hiveType(type),
    ...(description === undefined ? {} : { Comment: description.slice(0, maxComment) }),
  };
}

function columnsOf({ table }: PublishedTable): { data: GlueColumn[]; keys: GlueColumn[] } {
  const keys = table.partitionBy.map((key) => table.columns.find(({ name }) => name === key)!);
  return {
    data: table.columns.filter(({ name }) => !table.partitionBy.includes(name)).map(glueColumn),
    keys: keys.map(glueColumn),
  };
}

function storage(columns: GlueColumn[], location: string): StorageDescriptor {
  return {
    Columns: columns,
    Location: location,
    InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    Compressed: false,
    NumberOfBuckets: -1,
    SerdeInfo: {
      SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
      Parameters: { 'serialization.format': '1' },
    },
    StoredAsSubDirectories: false,
  };
}

function versionMarks({ version, publicationId, rows }: PartitionVersion): Record<string, string> {
  return {
    [marks.version]: String(version),
    [marks.publication]: String(publicationId),
    [marks.rows]: String(rows),
  };
}

/** `location` is the folder of the one version of a table without partitions, else the folder of all its files. */
export function tableInput(published: PublishedTable, lake: string, location: string): TableInput {
  const { table, partitions } = published;
  const { data, keys } = columnsOf(published);
  const [whole] = table.partitionBy.length === 0 ? partitions : [];
  return {
    Name: tableName(table.name),
    ...(table.description === undefined ? {} : { Description: table.description.slice(0, maxDescription) }),
    TableType: 'EXTERNAL_TABLE',
    StorageDescriptor: storage(data, location),
    PartitionKeys: keys,
    Parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      [marks.lake]: lake,
      ...(whole === undefined ? {} : versionMarks(whole)),
    },
  };
}

export function partitionInput(
  published: PublishedTable,
  version: PartitionVersion,
  location: string,
): PartitionInput & { Values: string[] } {
  return {
    Values: published.table.partitionBy.map((column) => version.partition[column]!),
    StorageDescriptor: storage(columnsOf(published).data, location),
    Parameters: versionMarks(version),
  };
}

function columnText(columns: readonly GlueColumn[] | undefined): string {
  return (columns ?? []).map(({ Name, Type, Comment = '' }) => `${Name} ${Type} ${Comment}`).join('\n');
}

function sameStorage(found: StorageDescriptor | undefined, wanted: StorageDescriptor): boolean {
  return (
    found !== undefined &&
    columnText(found.Columns) === columnText(wanted.Columns) &&
    found.Location === wanted.Location &&
    found.InputFormat === wanted.InputFormat &&
    found.OutputFormat === wanted.OutputFormat &&
    found.SerdeInfo?.SerializationLibrary === wanted.SerdeInfo?.SerializationLibrary
  );
}

type Parameters = Record<string, string> | undefined;

function includes(found: Parameters, wanted: Parameters): boolean {
  return Object.entries(wanted ?? {}).every(([name, value]) => found?.[name] === value);
}

export function samePartition(found: Partition, wanted: PartitionInput): boolean {
  return (
    sameStorage(found.StorageDescriptor, wanted.StorageDescriptor!) &&
    includes(found.Parameters, wanted.Parameters)
  );
}

export function sameTable(found: Table, wanted: TableInput): boolean {
  return (
    sameStorage(found.StorageDescriptor, wanted.StorageDescriptor!) &&
    sameKeys(found, wanted) &&
    includes(found.Parameters, wanted.Parameters) &&
    found.TableType === wanted.TableType &&
    (found.Description ?? '') === (wanted.Description ?? '')
  );
}

/** Partitions are named by these, so a table with others is another table. */
export function sameKeys(found: Table, wanted: TableInput): boolean {
  return columnText(found.PartitionKeys) === columnText(wanted.PartitionKeys);
}

/** `payments` of `payments.curated`; and `curated`. */
export function pipelineOf(name: string): string {
  return name.slice(0, name.indexOf('.')).toLowerCase();
}

export function tableName(name: string): string {
  return name.slice(name.indexOf('.') + 1).toLowerCase();
}
