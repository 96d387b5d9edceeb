import type { ColumnType } from '../../dag/relation.ts';
import { decimalParts, duckdbType, literal } from './sql-text.ts';

/** Starts the message of an error raised by a statement when a value does not fit its declared type; the column follows. */
export const lossMark = 'ingot: lossy cast of ';

/** Texts that DuckDB would cast without dropping a digit, an offset or a time of day. */
function textPattern(type: ColumnType): string | null {
  const decimal = decimalParts(type);
  if (decimal !== null) return String.raw`[+-]?(\d+\.?|\d*\.\d{0,${decimal.scale}}0*)`;
  switch (type) {
    case 'int':
    case 'bigint':
      return String.raw`[+-]?\d+`;
    case 'date':
      return String.raw`\d{4,}-\d{2}-\d{2}`;
    case 'timestamp':
      return String.raw`\d{4,}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6}0*)?)?(Z|\+00(:?00)?)?)?`;
    case 'boolean':
      return '(?i)true|false';
    case 'text':
    case 'text[]':
    case 'double':
    default:
      return null;
  }
}

function loss(column: string): string {
  return `error(${literal(lossMark + column)})`;
}

/**
 * `value` (of DuckDB type `from`) as `to`; the statement fails where the cast would drop or round anything.
 * DuckDB's own casts round decimals, cut times of day and ignore offsets without a word.
 */
export function losslessCast(value: string, from: string, to: ColumnType, column: string): string {
  const target = duckdbType(to);
  if (from === target || from === '"NULL"' || from === 'NULL')
    return from === target ? value : `CAST(${value} AS ${target})`;
  const cast = `CAST(${value} AS ${target})`;
  if (from !== 'VARCHAR')
    return `CASE WHEN ${value} IS NOT DISTINCT FROM CAST(${cast} AS ${from}) THEN ${cast} ELSE ${loss(column)} END`;
  const pattern = textPattern(to);
  if (pattern === null) return cast;
  return `CASE WHEN ${value} IS NULL OR regexp_full_match(${value}, ${literal(pattern)}) THEN ${cast} ELSE ${loss(column)} END`;
}
