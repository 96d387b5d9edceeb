import type { Cron } from './cron.ts';
import { matchesDay, parseCron } from './cron.ts';
import { instantOf, instantsOf, wallAt } from './zone.ts';

/** When a DAG's data intervals end: five cron fields in the DAG's time zone, or a fixed length from the epoch. */
export type Schedule = { readonly cron: string } | { readonly everyMs: number };

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A leap day on one weekday can be 40 years away when a century without one lies between. */
const longestSearchDays = 366 * 41;

/**
 * The first tick after `at` (milliseconds since the epoch).
 *
 * Daylight saving: when the hour field matches every hour, ticks follow real time, so a repeated hour has its ticks
 * twice and a skipped one none. Otherwise they follow the wall clock, so a time that is skipped ticks as long after
 * as it lies in the gap, and a time that is repeated ticks at its first occurrence only.
 */
export function nextTick(schedule: Schedule, timezone: string, at: number): number {
  if ('everyMs' in schedule) return (Math.floor(at / schedule.everyMs) + 1) * schedule.everyMs;
  return search(schedule.cron, timezone, at, 1, (ticks) => ticks.find((tick) => tick > at));
}

/** The last tick at or before `at`. See {@link nextTick}. */
export function previousTick(schedule: Schedule, timezone: string, at: number): number {
  if ('everyMs' in schedule) return Math.floor(at / schedule.everyMs) * schedule.everyMs;
  return search(schedule.cron, timezone, at, -1, (ticks) => ticks.findLast((tick) => tick <= at));
}

function search(
  text: string,
  timezone: string,
  at: number,
  direction: 1 | -1,
  pick: (ticks: readonly number[]) => number | undefined,
): number {
  const cron = cronOf(text);
  const today = Math.floor(wallAt(timezone, at) / dayMs);
  // A gap at midnight can move the tick of a day into the next one: begin a day early, whichever way we go.
  for (let step = -1; step < longestSearchDays; step += 1) {
    const found = pick(ticksOfDay(cron, timezone, today + step * direction, text));
    if (found !== undefined) return found;
  }
  throw new RangeError(`The schedule ${text} has no tick within ${longestSearchDays} days.`);
}

const parsed = new Map<string, Cron>();

function cronOf(text: string): Cron {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const cron = parseCron(text);
  if ('minutes' in cron) {
    parsed.set(text, cron);
    return cron;
  }
  throw new RangeError(cron.map((each) => `${each.place}: ${each.message}`).join('\n'));
}

const recent = new Map<string, readonly number[]>();
/** A walk from tick to tick looks at the same three days again and again. */
const recentDays = 64;

/** Ticks of one calendar day (days since 1970) of the zone, in order, each once. */
function ticksOfDay(cron: Cron, timezone: string, dayNumber: number, text: string): readonly number[] {
  const date = new Date(dayNumber * dayMs);
  if (!matchesDay(cron, date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCDay())) return [];
  const key = `${dayNumber} ${timezone} ${text}`;
  const known = recent.get(key);
  if (known !== undefined) return known;
  const ticks = computeTicks(cron, timezone, dayNumber);
  recent.set(key, ticks);
  if (recent.size > recentDays) recent.delete(recent.keys().next().value!);
  return ticks;
}

function computeTicks(cron: Cron, timezone: string, dayNumber: number): readonly number[] {
  const midnight = dayNumber * dayMs;
  const walls = wallTimes(cron).map((time) => midnight + time);
  const offset = midnight - instantOf(timezone, midnight);
  const noon = midnight + dayMs / 2;
  const even = [noon, midnight + dayMs].every((wall) => wall - instantOf(timezone, wall) === offset);
  if (even) return walls.map((wall) => wall - offset);
  const ticks = walls.flatMap((wall) =>
    cron.everyHour ? instantsOf(timezone, wall) : [instantOf(timezone, wall)],
  );
  return [...new Set(ticks)].sort((a, b) => a - b);
}

const times = new WeakMap<Cron, readonly number[]>();

/** Times of day in milliseconds, in order. */
function wallTimes(cron: Cron): readonly number[] {
  const known = times.get(cron);
  if (known !== undefined) return known;
  const minutes = [...cron.minutes];
  const made = [...cron.hours]
    .flatMap((hour) => minutes.map((minute) => (hour * 60 + minute) * minuteMs))
    .sort((a, b) => a - b);
  times.set(cron, made);
  return made;
}
