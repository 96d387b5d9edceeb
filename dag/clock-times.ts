import { parseCron, type Cron } from './cron.ts';
import { nextTick } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { wallAt } from './zone.ts';

/** Wall-clock times, literally: on every day that matches all of days, months, weekdays (0 is Sunday) and, when given, the year. */
export interface WallTimes {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
  readonly year?: number;
}

const dayMs = 86_400_000;
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

/** Instants between `from` and `until` at which the zone's clocks are put forward, to the day. */
function daysWithGap(timezone: string, from: number, until: number): number[] {
  const found: number[] = [];
  for (let at = from, offset = wallAt(timezone, at) - at; at < until; at += dayMs) {
    const next = wallAt(timezone, at + dayMs) - (at + dayMs);
    if (next > offset) found.push(at);
    offset = next;
  }
  return found;
}

function wallTimesOf(wall: number): WallTimes {
  const date = new Date(wall);
  return {
    minutes: [date.getUTCMinutes()],
    hours: [date.getUTCHours()],
    days: [date.getUTCDate()],
    months: [date.getUTCMonth() + 1],
    weekdays: everyWeekday,
    year: date.getUTCFullYear(),
  };
}

/** Ticks of the days around `at` at whose wall-clock time the cron does not tick by its own text. */
function movedTicks(schedule: Schedule, cron: Cron, timezone: string, at: number): WallTimes[] {
  const moved: WallTimes[] = [];
  for (let tick = nextTick(schedule, timezone, at - dayMs); tick < at + 2 * dayMs; ) {
    const wall = wallAt(timezone, tick);
    const date = new Date(wall);
    if (!cron.hours.has(date.getUTCHours()) || !cron.minutes.has(date.getUTCMinutes()))
      moved.push(wallTimesOf(wall));
    tick = nextTick(schedule, timezone, tick);
  }
  return moved;
}

/**
 * The times of a cron for a clock that takes wall-clock times literally: such a clock leaves out a time that daylight
 * saving skips, so the ticks that are moved by that between two instants are listed one by one. It may tick more often
 * than the schedule, in a repeated hour, but never misses a tick.
 */
export function clockTimes(
  schedule: Extract<Schedule, { cron: string }>,
  timezone: string,
  from: number,
  until: number,
): readonly WallTimes[] {
  const cron = parseCron(schedule.cron);
  if (!('minutes' in cron)) throw new RangeError(cron.map((each) => each.message).join('\n'));
  const shared = {
    minutes: sorted(cron.minutes),
    hours: sorted(cron.hours),
    months: sorted(cron.months),
  };
  const times = alternatives(cron).map((each) => ({ ...shared, ...each }));
  if (timezone === 'UTC' || cron.everyHour) return times;
  const moved = daysWithGap(timezone, from, until).flatMap((at) => movedTicks(schedule, cron, timezone, at));
  return [...times, ...new Map(moved.map((each) => [JSON.stringify(each), each])).values()];
}
