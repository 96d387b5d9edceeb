import type { DataInterval } from './interval.ts';
import { instantText, intervalContaining } from './interval.ts';
import type { Plan } from './plan.ts';
import { nextTick, previousTick } from './schedule.ts';
import type { Schedule } from './schedule.ts';

/** When a scheduled DAG's intervals are, and which of them count. */
export type Calendar = Pick<Plan, 'schedule' | 'timezone' | 'startAt' | 'endAt' | 'catchup'>;

/** Without catchup, ticks that came late by up to this much (servers or workers down) still count. */
export const lateTicksMs = 86_400_000;

/** The first instant at which an interval of the DAG may start: `startAt`, or the next tick after it when it is none. */
function firstStart(schedule: Schedule, { timezone, startAt }: Calendar): number | null {
  return startAt === null ? null : nextTick(schedule, timezone, Date.parse(startAt) - 1);
}

function startOf(schedule: Schedule, timezone: string, at: number): number {
  return previousTick(schedule, timezone, at);
}

/** Start of the first interval that may be due, whether it is over or not. */
function dueFrom(
  schedule: Schedule,
  calendar: Calendar,
  tickedTo: string | null,
  latestStart: number,
): number {
  const first = firstStart(schedule, calendar) ?? -Infinity;
  if (tickedTo !== null) return Math.max(first, startOf(schedule, calendar.timezone, Date.parse(tickedTo)));
  return calendar.catchup && calendar.startAt !== null ? first : Math.max(first, latestStart);
}

/**
 * The intervals that are over at `at` (milliseconds since the epoch) and not yet dealt with, oldest first, each once,
 * without a gap. `tickedTo`: those that ended at or before this instant have been dealt with; null before the first
 * tick. With catchup: all since `startAt`. Without: the latest one, and those before it whose ticks were late by at
 * most {@link lateTicksMs}.
 *
 * A clock that goes back makes nothing due that was due before.
 */
export function* dueIntervals(
  calendar: Calendar,
  tickedTo: string | null,
  at: number,
): Generator<DataInterval> {
  const { schedule, timezone, catchup } = calendar;
  if (schedule === null) return;
  const latestEnd = previousTick(schedule, timezone, at);
  const latestStart = startOf(schedule, timezone, latestEnd - 1);
  const oldestEnd = catchup ? -Infinity : Math.min(latestEnd, at - lateTicksMs);
  const lastStart = calendar.endAt === null ? Infinity : Date.parse(calendar.endAt);
  let start = dueFrom(schedule, calendar, tickedTo, latestStart);
  if (!catchup) start = Math.max(start, startOf(schedule, timezone, oldestEnd - 1));
  while (start <= Math.min(lastStart, latestStart)) {
    const end = nextTick(schedule, timezone, start);
    const [from, to] = [instantText(start), instantText(end)];
    yield { start: from, end: to, logicalDate: from };
    start = end;
  }
}

/** The instant up to which every interval is dealt with once all that {@link dueIntervals} gave at `at` are. */
export function dealtWithAt(calendar: Calendar, tickedTo: string | null, at: number): string | null {
  if (calendar.schedule === null) return tickedTo;
  const latestEnd = previousTick(calendar.schedule, calendar.timezone, at);
  if (tickedTo !== null && Date.parse(tickedTo) >= latestEnd) return tickedTo;
  return instantText(latestEnd);
}

/**
 * Where the clock of a DAG that is deployed or unpaused at `at` begins: what ended before was missed for good. Null
 * with catchup and a start, which makes up everything.
 */
export function clockBeginsAt({ schedule, timezone, startAt, catchup }: Calendar, at: number): string | null {
  if (schedule === null || (catchup && startAt !== null)) return null;
  return instantText(startOf(schedule, timezone, previousTick(schedule, timezone, at) - 1));
}

/** The interval whose run the clock starts next after `at`; null without a schedule and after the last interval. */
export function nextInterval(calendar: Calendar, at: number): DataInterval | null {
  const { schedule, timezone, endAt } = calendar;
  if (schedule === null) return null;
  const covering = intervalContaining(schedule, timezone, Math.max(at, firstStart(schedule, calendar) ?? at));
  return endAt !== null && Date.parse(covering.start) > Date.parse(endAt) ? null : covering;
}
