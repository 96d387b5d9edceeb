import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** Athena's name of a type in a result. */
export function athenaType(type: DuckDBType): string {
  const name = String(type);
  if (name.endsWith('[]')) return 'array';
  if (name.startsWith('DECIMAL')) return 'decimal';
  if (name.startsWith('STRUCT')) return 'row';
  if (name.startsWith('MAP')) return 'map';
  const known: Readonly<Record<string, string>> = {
    HUGEINT: 'bigint',
    FLOAT: 'float',
    BLOB: 'varbinary',
    'TIMESTAMP WITH TIME ZONE': 'timestamp with time zone',
  };
  return known[name] ?? (name.startsWith('TIMESTAMP') ? 'timestamp' : name.toLowerCase());
}

export function precisionOf(type: DuckDBType): { readonly Precision: number; readonly Scale: number } {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)/.exec(String(type)) ?? [];
  if (precision !== undefined) return { Precision: Number(precision), Scale: Number(scale) };
  const known: Readonly<Record<string, number>> = {
    INTEGER: 10,
    BIGINT: 19,
    HUGEINT: 19,
    DOUBLE: 17,
    VARCHAR: 2147483647,
    TIMESTAMP: 3,
  };
  return { Precision: known[String(type)] ?? 0, Scale: 0 };
}

/** As Java writes a double: `1.0`, `1.5E10`. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e');
    return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function timestampText(text: string, type: string): string {
  const [, day, time, fraction = ''] = /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(text) ?? [];
  if (day === undefined) return text;
  const zone = type.endsWith('ZONE') ? ' UTC' : '';
  return `${day} ${time}.${fraction.padEnd(3, '0')}${zone}`;
}

/** The text Athena gives for a value; null stays null. */
export function athenaText(value: DuckDBValue, type: DuckDBType): string | null {
  if (value === null) return null;
  const name = String(type);
  if (name === 'DOUBLE' || name === 'FLOAT') return doubleText(Number(value));
  if (name.startsWith('TIMESTAMP')) return timestampText(String(value), name);
  return String(value);
}
