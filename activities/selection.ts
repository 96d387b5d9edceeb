import type { PartitionValues } from '../dag/relation.ts';
import { TerminalError } from '../ports/errors.ts';
import type { PartitionSelector } from '../ports/ledger.ts';

/** The run's data interval, as a task's context gives it. */
export interface Interval {
  readonly start: string;
  readonly end: string;
  readonly logicalDate: string;
}

type Slice =
  | { readonly values: PartitionValues }
  | { readonly where: Readonly<Record<string, readonly string[]>> };

/** Which partitions of a table a task means: a pure function of the run's interval. */
export type Selection = (interval: Interval) => readonly Slice[];

const dayMs = 86_400_000;

/** UTC dates from `first` to `last` days after the logical date, both included. */
export function datesAround({ logicalDate }: Interval, first: number, last: number): readonly string[] {
  const start = Date.parse(logicalDate);
  if (!Number.isFinite(start))
    throw new TerminalError({
      expected: 'a logical date as an RFC 3339 instant',
      found: JSON.stringify(logicalDate),
      remedy: 'Start the run with a valid interval.',
    });
  const day = Math.floor(start / dayMs);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    new Date((day + first + index) * dayMs).toISOString().slice(0, 10),
  );
}

/** Every published partition whose `column` is a date from `first` to `last` days after the logical date. */
export function window(column: string, first: number, last: number): Selection {
  return (interval) => [{ where: { [column]: datesAround(interval, first, last) } }];
}

/** One partition per date from `first` to `last` days after the logical date; `values` says how a date names it. */
export function eachDate(values: (date: string) => PartitionValues, first: number, last: number): Selection {
  return (interval) => datesAround(interval, first, last).map((date) => ({ values: values(date) }));
}

/** The partition of the logical date. */
export function ownDate(column: string): Selection {
  return eachDate((date) => ({ [column]: date }), 0, 0);
}

/** The whole table. */
export const wholeTable: Selection = () => [{ where: {} }];

export function selectors(
  table: string,
  selection: Selection,
  interval: Interval,
): readonly PartitionSelector[] {
  return selection(interval).map((slice) => ({ table, ...slice }));
}
