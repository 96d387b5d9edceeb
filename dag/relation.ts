/** Logical column types, one name each on every engine. Timestamps are UTC with microseconds. */
export type ColumnType =
  | 'text'
  | 'boolean'
  | 'int'
  | 'bigint'
  | 'double'
  | `decimal(${number},${number})`
  | 'date'
  | 'timestamp'
  | 'text[]';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly description?: string;
}

/** Values of a table's partition columns, e.g. `{ ingest_date: '2026-01-01' }`. */
export type PartitionValues = Readonly<Record<string, string>>;

/** A table of the lake: `name` is `<pipeline>.<table>`, `partitionBy` lists columns that are also in `columns`. */
export interface Table {
  readonly name: string;
  readonly zone: 'raw' | 'clean' | 'bronze' | 'silver' | 'gold' | 'audit';
  readonly columns: readonly Column[];
  readonly partitionBy: readonly string[];
  readonly description?: string;
}

/** `ingest_date=2026-01-01/txn_date=2025-12-31`: the one text form, columns in the table's order; '' for an unpartitioned table. */
export function partitionText(table: Pick<Table, 'name' | 'partitionBy'>, values: PartitionValues): string {
  return table.partitionBy
    .map((column) => {
      const value = values[column];
      if (value === undefined)
        throw new RangeError(
          `A partition of ${table.name} needs a value for ${column}, found ${JSON.stringify(values)}.`,
        );
      return `${column}=${encodeURIComponent(value)}`;
    })
    .join('/');
}

/** Inverse of {@link partitionText}. */
export function partitionValues(text: string): PartitionValues {
  if (text === '') return {};
  return Object.fromEntries(
    text.split('/').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at), decodeURIComponent(part.slice(at + 1))];
    }),
  );
}
