import type { Column } from '../../dag/relation.ts';
import type { InlineRelation } from '../../ports/sql-engine.ts';

type Value = string | null | readonly string[];

const texts = [
  '',
  ' ',
  '  two  spaces ',
  'a',
  'A',
  'abc',
  'ABC',
  'a,b,,c',
  ',',
  'a.b|c',
  '%',
  '_',
  '\\',
  'back\\slash\\',
  "it's",
  '"quoted"',
  'line\nbreak',
  'ends with break\n',
  '\ttab\r',
  '\v\f',
  '\u00A0no break\u00A0',
  'ß',
  'STRASSE straße ẞ',
  'ıİiI',
  'ΑΣ ας',
  'ŉ ǆ ﬁ',
  'é',
  'e\u0301',
  'n\u0303o\u0308',
  '😀',
  '👨‍👩‍👧 family',
  '𝒜𝒷',
  'שלום',
  'مرحبا',
  '日本語',
  '\u2028\u2029',
  'mark\uFEFF',
  '\u0001\u001F\u007F\u0085',
  'null',
  '0',
  '1',
  '-1',
  '007',
  '12.50',
  '2026-01-31',
  'x'.repeat(300),
];
const integers = ['0', '1', '-1', '2', '3', '-7', '10', '99', '100', '2147483647', '-2147483648', '1000000'];
const longs = [
  ...integers,
  '9007199254740993',
  '-9007199254740993',
  '4611686018427387904',
  '-4611686018427387904',
];
const decimals = [
  '0.00',
  '0.01',
  '-0.01',
  '0.05',
  '1.00',
  '1.01',
  '2.50',
  '-2.50',
  '3.49',
  '0.50',
  '-0.50',
  '99999.99',
  '-99999.99',
  '1000000.00',
  '99999999999999.99',
  '-99999999999999.99',
];
const wide = ['0.000000', '0.000001', '-0.000001', '1.500000', '123456789012.123456', '-999999999999.999999'];
const doubles = [
  '0',
  '-0.0',
  '0.5',
  '-0.5',
  '1.5',
  '2.5',
  '-2.5',
  '0.1',
  '1e-7',
  '123456.789',
  '1e15',
  '-1e15',
  'NaN',
  'Infinity',
];
const dates = [
  '2026-01-31',
  '2024-02-29',
  '2025-03-30',
  '2025-10-26',
  '1970-01-01',
  '1969-12-31',
  '0001-01-01',
  '9999-12-31',
  '1900-03-01',
  '2000-02-29',
  '2026-12-31',
];
const instants = [
  '2026-01-31 23:59:59.999999',
  '2025-03-30 02:30:00',
  '2025-10-26 02:30:00.5',
  '2025-03-09 02:15:00.123456',
  '1970-01-01 00:00:00',
  '1969-12-31 23:59:59.000001',
  '0001-01-01 00:00:00',
  '9999-12-31 23:59:59.999999',
  '2024-02-29 12:00:00',
  '1883-11-18 12:03:58',
];
const lists: readonly (readonly string[])[] = [
  [],
  ['a'],
  ['a', 'b', 'a'],
  [''],
  ['a,b', '"', '\\'],
  ['é', '😀', '\u0001'],
];

/** One column of each type, and what its values are taken from. */
const columns: readonly (readonly [Column, readonly Value[]])[] = [
  [{ name: 'id', type: 'bigint', nullable: false }, []],
  [{ name: 'i', type: 'int', nullable: true }, integers],
  [{ name: 'b', type: 'bigint', nullable: true }, longs],
  [{ name: 'd', type: 'decimal(18,2)', nullable: true }, decimals],
  [{ name: 'w', type: 'decimal(24,6)', nullable: true }, wide],
  [{ name: 'f', type: 'double', nullable: true }, doubles],
  [{ name: 's', type: 'text', nullable: true }, texts],
  [{ name: 'u', type: 'text', nullable: true }, texts],
  [{ name: 'dt', type: 'date', nullable: true }, dates],
  [{ name: 'e', type: 'date', nullable: true }, dates],
  [{ name: 'ts', type: 'timestamp', nullable: true }, instants],
  [{ name: 'ok', type: 'boolean', nullable: true }, ['true', 'false']],
  [{ name: 'l', type: 'text[]', nullable: true }, lists],
  [{ name: 'k', type: 'int', nullable: true }, ['0', '1', '2', '3']],
  // Small numbers, so that arithmetic stays within its types.
  [{ name: 'n', type: 'int', nullable: true }, ['0', '1', '-1', '2', '-3', '7', '10', '-12', '100', '255']],
  [
    { name: 'm', type: 'decimal(9,3)', nullable: true },
    ['0.000', '0.005', '-0.005', '1.500', '2.500', '-2.500', '123456.789', '-0.045', '9.999'],
  ],
];

/** A relation of hostile values: every value of every column at least once as far as `count` goes, then whatever `next` (from 0 to 1) says. */
export function hostileRows(name: string, count: number, next: () => number): InlineRelation {
  const value = (values: readonly Value[], row: number): Value => {
    if (row < values.length) return values[row]!;
    const at = Math.floor(next() * (values.length * 1.15));
    return values[at] ?? null;
  };
  return {
    name,
    columns: columns.map(([column]) => column),
    rows: Array.from({ length: count }, (_, row) =>
      columns.map(([column, values]) => (column.name === 'id' ? String(row + 1) : value(values, row))),
    ),
  };
}
