import type { ColumnType } from '../../dag/relation.ts';

const hive: Readonly<Record<string, string>> = {
  text: 'string',
  boolean: 'boolean',
  int: 'int',
  bigint: 'bigint',
  double: 'double',
  date: 'date',
  timestamp: 'timestamp',
  'text[]': 'array<string>',
};

const logical: Readonly<Record<string, ColumnType>> = {
  boolean: 'boolean',
  tinyint: 'int',
  smallint: 'int',
  int: 'int',
  integer: 'int',
  bigint: 'bigint',
  float: 'double',
  double: 'double',
  date: 'date',
  timestamp: 'timestamp',
  'array<string>': 'text[]',
};

export function hiveType(type: ColumnType): string {
  return hive[type] ?? type;
}

/** The logical type nearest to one of Hive's; text for what has none, such as a struct. */
export function columnType(type: string): ColumnType {
  const name = type.toLowerCase().replaceAll(' ', '');
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(name);
  if (decimal !== null) return `decimal(${Number(decimal[1])},${Number(decimal[2])})`;
  return logical[name] ?? 'text';
}
