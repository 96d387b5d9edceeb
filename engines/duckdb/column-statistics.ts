import type { ColumnType } from '../../dag/relation.ts';
import type { ColumnStatistics } from '../../ports/sql-engine.ts';
import { decimalParts } from './sql-text.ts';

type Compare = (a: string, b: string) => number;

const byNumber: Compare = (a, b) => Number(a) - Number(b);

/** Equal scale makes decimals whole numbers once the point is taken out. */
const byDigits: Compare = (a, b) => {
  const [left, right] = [BigInt(a.replace('.', '')), BigInt(b.replace('.', ''))];
  return left < right ? -1 : left > right ? 1 : 0;
};

const byBytes: Compare = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function order(type: ColumnType): Compare {
  if (type === 'double') return byNumber;
  return type === 'int' || type === 'bigint' || decimalParts(type) !== null ? byDigits : byBytes;
}

/** Extremes are known only when each part that has values knows its own. */
function extreme(
  parts: readonly KnownStatistics[],
  pick: (part: ColumnStatistics) => string | null,
  better: (a: string, b: string) => boolean,
): string | null {
  const values = parts.filter((part) => part.nulls < part.values).map(pick);
  if (values.some((value) => value === null)) return null;
  return (values as string[]).reduce<string | null>(
    (best, value) => (best === null || better(value, best) ? value : best),
    null,
  );
}

/** Statistics of one file, with the number of values (nulls included) they are about. */
export interface KnownStatistics extends ColumnStatistics {
  readonly values: number;
}

/** Statistics of the union of the parts, compared in the column's own order: bytes for text, value for the rest. */
export function mergeStatistics(type: ColumnType, parts: readonly KnownStatistics[]): ColumnStatistics {
  const compare = order(type);
  return {
    nulls: parts.reduce((sum, part) => sum + part.nulls, 0),
    min: extreme(
      parts,
      (part) => part.min,
      (a, b) => compare(a, b) < 0,
    ),
    max: extreme(
      parts,
      (part) => part.max,
      (a, b) => compare(a, b) > 0,
    ),
  };
}
