import { once } from 'node:events';
import type { ResultValue } from '../ports/sql-engine.ts';
import { textTable } from './text-table.ts';

export type Format = 'table' | 'json' | 'csv';

export interface RowStream {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: AsyncIterable<readonly ResultValue[]> | Iterable<readonly ResultValue[]>;
}

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

function cell(value: ResultValue): string {
  if (value === null) return '';
  return Array.isArray(value) ? JSON.stringify(value) : String(value);
}

function csvField(value: ResultValue): string {
  const text = cell(value);
  return /[",\r\n]/.test(text) || (text === '' && value !== null) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function writeJson({ columns, rows }: RowStream): Promise<void> {
  let first = true;
  for await (const row of rows) {
    await write(
      `${first ? '[' : ','}\n${JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))}`,
    );
    first = false;
  }
  await write(first ? '[]\n' : '\n]\n');
}

async function writeCsv({ columns, rows }: RowStream): Promise<void> {
  await write(`${columns.map(({ name }) => csvField(name)).join(',')}\n`);
  for await (const row of rows) await write(`${row.map(csvField).join(',')}\n`);
}

const numeric = /^(int|bigint|double|decimal|float|hugeint|smallint|tinyint|ubigint|uinteger|integer)/i;

async function writeTable({ columns, rows }: RowStream): Promise<void> {
  const lines: string[][] = [];
  for await (const row of rows)
    lines.push(row.map((value) => (value === null ? '∅' : cell(value).replaceAll(/[\r\n]+/g, '⏎'))));
  const align = columns.map(({ type }) => (numeric.test(type) ? ('right' as const) : ('left' as const)));
  await write(
    `${textTable(
      columns.map(({ name }) => name),
      lines,
      align,
    )}\n`,
  );
  await write(`${lines.length} ${lines.length === 1 ? 'row' : 'rows'}\n`);
}

/** Streams rows to standard output; JSON is an array of objects, all values text, booleans, lists or null. */
export function writeRows(stream: RowStream, format: Format): Promise<void> {
  if (format === 'json') return writeJson(stream);
  return format === 'csv' ? writeCsv(stream) : writeTable(stream);
}
