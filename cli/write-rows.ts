import { once } from 'node:events';
import type { ResultValue } from '../ports/sql-engine.ts';
import { TextColumns } from './text-table.ts';

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

/** So many rows decide how wide the columns are; what follows is written as it comes. */
const rowsForWidths = 1000;

async function writeTable({ columns, rows }: RowStream): Promise<void> {
  const heads = columns.map(({ name }) => name);
  const align = columns.map(({ type }) => (numeric.test(type) ? ('right' as const) : ('left' as const)));
  let first: string[][] = [];
  let layout: TextColumns | null = null;
  let written = 0;
  const begin = async (): Promise<TextColumns> => {
    const made = new TextColumns(heads, first, align);
    await write(`${[made.head, ...first.map((line) => made.line(line))].join('\n')}\n`);
    first = [];
    return made;
  };
  for await (const row of rows) {
    const line = row.map((value) => (value === null ? '∅' : cell(value).replaceAll(/[\r\n]+/g, '⏎')));
    written += 1;
    if (layout === null) {
      first.push(line);
      if (first.length === rowsForWidths) layout = await begin();
    } else await write(`${layout.line(line)}\n`);
  }
  if (layout === null) await begin();
  await write(`${written} ${written === 1 ? 'row' : 'rows'}\n`);
}

/** Streams rows to standard output; JSON is an array of objects, all values text, booleans, lists or null. */
export function writeRows(stream: RowStream, format: Format): Promise<void> {
  if (format === 'json') return writeJson(stream);
  return format === 'csv' ? writeCsv(stream) : writeTable(stream);
}
