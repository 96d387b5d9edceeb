import type { ColumnInfo, Datum } from '@aws-sdk/client-athena';
import type { QueryColumn } from '../../ports/query-service.ts';
import type { ResultValue } from '../../ports/sql-engine.ts';

const types: Readonly<Record<string, string>> = {
  varchar: 'text',
  char: 'text',
  string: 'text',
  tinyint: 'int',
  smallint: 'int',
  integer: 'int',
  float: 'double',
  real: 'double',
};

/** The product's name of a type; Athena's own for what has none. Of an array Athena does not say what is in it. */
export function resultColumn({ Name = '', Type = '', Precision, Scale }: ColumnInfo): QueryColumn {
  const type = Type === 'decimal' ? `decimal(${Precision ?? 38},${Scale ?? 0})` : (types[Type] ?? Type);
  return { name: Name, type };
}

/**
 * The same texts as on the embedded engine: no trailing zeros in a second's fraction, the shortest text of a double. Arrays, rows and maps are Athena's text
 * of them, which does not tell a comma inside an element from one between two.
 */
export function resultValue({ VarCharValue: text }: Datum, type: string): ResultValue {
  if (text === undefined) return null;
  if (type === 'boolean') return text === 'true';
  if (type === 'double') return String(Number(text));
  if (type.startsWith('timestamp')) return text.replace(/(\.\d*?)0+(?=$| )/, '$1').replace(/\.(?=$| )/, '');
  return text;
}
