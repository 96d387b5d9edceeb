import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Fields } from './call.ts';
import { s3Place, type EmulatorCalls } from './emulator-calls.ts';

export interface QueryColumns {
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly precisions: readonly { readonly Precision: number; readonly Scale: number }[];
}

export interface QueryRows {
  readonly columns: QueryColumns;
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Athena quotes every value and leaves a null empty. */
function csvLine(values: readonly (string | null)[]): string {
  return values.map((value) => (value === null ? '' : `"${value.replaceAll('"', '""')}"`)).join(',');
}

export async function writeResult(
  emulator: EmulatorCalls,
  location: string,
  result: QueryRows,
): Promise<void> {
  const { bucket, key } = s3Place(location);
  const lines = [result.columns.names, ...result.rows].map((line) => `${csvLine(line)}\n`);
  const put = async (Key: string, Body: string): Promise<unknown> =>
    await emulator.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  await put(key, lines.join(''));
  // Athena's own is a binary format that nobody reads.
  await put(`${key}.metadata`, JSON.stringify(result.columns));
}

export function columnInfo({ names, types, precisions }: QueryColumns): Fields[] {
  return names.map((name, index) => ({
    CatalogName: 'hive',
    SchemaName: '',
    TableName: '',
    Name: name,
    Label: name,
    Type: types[index],
    ...precisions[index],
    Nullable: 'UNKNOWN',
    CaseSensitive: types[index] === 'varchar',
  }));
}

export function datums(values: readonly (string | null)[]): Fields {
  return { Data: values.map((value) => (value === null ? {} : { VarCharValue: value })) };
}
