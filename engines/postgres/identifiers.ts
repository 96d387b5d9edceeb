import { createHash } from 'node:crypto';
import pg from 'pg';
import type { ColumnType } from '../../dag/relation.ts';

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** For the statements that take no parameters, such as `create table as`. */
export const literal = (text: string): string => pg.escapeLiteral(text);

/** `schema.table` or `table`, each part quoted. */
export const quotedTable = (name: string): string => name.split('.').map(quoted).join('.');

export const quotedList = (names: readonly string[], prefix = ''): string =>
  names.map((name) => prefix + quoted(name)).join(', ');

/** A name of our own for something of a table: readable, within Postgres's 63 bytes, the same for the same definition. */
export function derivedName(table: string, definition: string): string {
  const hash = createHash('sha256').update(`${table} ${definition}`).digest('hex').slice(0, 8);
  return `${table.split('.').at(-1)!.slice(0, 40)}_${hash}`;
}

const sqlTypes: Readonly<Record<Exclude<ColumnType, `decimal(${string}`>, string>> = {
  text: 'text',
  boolean: 'boolean',
  int: 'integer',
  bigint: 'bigint',
  double: 'double precision',
  date: 'date',
  timestamp: 'timestamp with time zone',
  'text[]': 'text[]',
};

/** In the spelling of Postgres's own `format_type`. */
export function sqlType(type: ColumnType): string {
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(type);
  return decimal === null ? sqlTypes[type as keyof typeof sqlTypes] : `numeric(${decimal[1]},${decimal[2]})`;
}

/** A select without the semicolon it may end with, and what comments follow that, so that it can stand inside a statement. */
export const bareSelect = (sql: string): string => sql.trim().replace(/;(\s|--[^\n]*(\n|$))*$/, '');
