import type { Interval } from '../activities/index.ts';
import { datesAround } from '../activities/index.ts';
import type { InlineRelation } from '../ports/sql-engine.ts';

export interface DaysOptions {
  /** The partition column whose values the dates are. */
  readonly column: string;
  /** Dates from so many to so many days after the logical date. */
  readonly around: readonly [first: number, last: number];
  /** Those of them that the run computes. */
  readonly own: readonly [first: number, last: number];
}

/** `days(<column>, day, own)`: the dates around a run, numbered, so that distances in days are plain arithmetic in SQL. */
export function days({ column, around, own }: DaysOptions): (interval: Interval) => InlineRelation {
  return (interval) => {
    const owned = new Set(datesAround(interval, ...own));
    return {
      name: 'days',
      columns: [
        { name: column, type: 'date', nullable: false },
        { name: 'day', type: 'int', nullable: false },
        { name: 'own', type: 'boolean', nullable: false },
      ],
      rows: datesAround(interval, ...around).map((date, index) => [
        date,
        String(index),
        String(owned.has(date)),
      ]),
    };
  };
}
