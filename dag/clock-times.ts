import { parseCron, type Cron } from './cron.ts';
import { nextTick } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { wallAt } from './zone.ts';

/** Wall-clock times, literally: on every day that matches all of days, months and weekdays (0 is Sunday). */
export interface WallTimes {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
}

/** What a clock is set to: wall-clock times of the zone, and single instants (milliseconds since the epoch). */
export interface ClockTimes {
  readonly walls: readonly WallTimes[];
  readonly instants: readonly number[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Around a change of the zone's offset; no zone has changed by more than this in our time, but for skipped days. */
const beforeChangeMs = 2 * hourMs;
const afterChangeMs = 4 * hourMs;
const everyDay = Array.from({ length: 31 }, (_, index) => index + 1);
const everyWeekday = [0, 1, 2, 3, 4, 5, 6];

function sorted(values: Iterable<number>): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The days of a cron as alternatives: day of month or day of week, where both are restricted. */
function alternatives(cron: Cron): readonly Pick<WallTimes, 'days' | 'weekdays'>[] {
  const days = sorted(cron.days);
  const weekdays = sorted(cron.weekdays);
  if (cron.anyDay || cron.anyWeekday) return [{ days, weekdays }];
  return [
    { days, weekdays: everyWeekday },
    { days: everyDay, weekdays },
  ];
}

/** Instants between `from` and `until` at which the zone's offset changes, to the minute. */
function offsetChanges(timezone: string, from: number, until: number): number[] {
  const offset = (at: number): number => wallAt(timezone, at) - at;
  const found: number[] = [];
  for (let at = from; at < until; at += dayMs) {
    let [before, after] = [at, at + dayMs];
    if (offset(before) === offset(after)) continue;
    while (after - before > 60_000) {
      const middle = (before + after) / 2;
      if (offset(middle) === offset(before)) before = middle;
      else after = middle;
    }
    found.push(after);
  }
  return found;
}

function ticksBetween(schedule: Schedule, timezone: string, from: number, until: number): number[] {
  const ticks: number[] = [];
  for (let at = nextTick(schedule, timezone, from); at <= until; at = nextTick(schedule, timezone, at))
    ticks.push(at);
  return ticks;
}

/**
 * The times of a cron for a clock that takes wall-clock times literally. What such a clock does where daylight saving
 * skips or repeats an hour is its own affair, so the ticks around every change between two instants are listed one by
 * one. It may tick more often than the schedule, but never misses a tick.
 */
export function clockTimes(
  schedule: Extract<Schedule, { cron: string }>,
  timezone: string,
  from: number,
  until: number,
): ClockTimes {
  const cron = parseCron(schedule.cron);
  if (!('minutes' in cron)) throw new RangeError(cron.map((each) => each.message).join('\n'));
  const shared = {
    minutes: sorted(cron.minutes),
    hours: sorted(cron.hours),
    months: sorted(cron.months),
  };
  const walls = alternatives(cron).map((each) => ({ ...shared, ...each }));
  if (timezone === 'UTC') return { walls, instants: [] };
  const instants = offsetChanges(timezone, from, until).flatMap((at) =>
    ticksBetween(schedule, timezone, at - beforeChangeMs, at + afterChangeMs),
  );
  return { walls, instants: [...new Set(instants)] };
}
