import type { Json } from '@duckdb/node-api';
import type { ColumnType } from '../../dag/relation.ts';
import type { KnownStatistics } from './column-statistics.ts';
import { identifier } from './sql-text.ts';

/** What COPY's RETURN_STATS says of one file. */
export interface CopiedFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly partition: ReadonlyMap<string, string | null>;
  readonly statistics: (column: string, type: ColumnType) => KnownStatistics;
}

type Entries = readonly { readonly key: string; readonly value: Json }[];

function entries(value: Json | undefined): Map<string, Json> {
  return new Map(((value ?? []) as unknown as Entries).map((entry) => [entry.key, entry.value]));
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function shown(value: string | null, type: ColumnType): string | null {
  if (value === null || type !== 'boolean') return value;
  return value === '1' || value === 'true' ? 'true' : 'false';
}

function statistics(column: Map<string, Json>, type: ColumnType, rows: number): KnownStatistics {
  const known = type !== 'text[]' && column.get('has_nan') !== 'true';
  return {
    values: rows,
    nulls: Number(column.get('null_count') ?? 0),
    min: known ? shown(text(column.get('min')), type) : null,
    max: known ? shown(text(column.get('max')), type) : null,
  };
}

export function copiedFile(row: Record<string, Json>): CopiedFile {
  const columns = new Map(
    [...entries(row['column_statistics'])].map(([name, value]) => [name, entries(value)]),
  );
  const rows = Number(row['count']);
  return {
    path: row['filename'] as string,
    rows,
    bytes: Number(row['file_size_bytes']),
    partition: new Map([...entries(row['partition_keys'])].map(([name, value]) => [name, text(value)])),
    statistics: (name, type) =>
      statistics(columns.get(identifier(name)) ?? new Map<string, Json>(), type, rows),
  };
}
