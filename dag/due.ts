import type { DataInterval } from './interval.ts';
import { instantText, intervalContaining } from './interval.ts';
import type { Plan } from './plan.ts';
import { nextTick, previousTick } from './schedule.ts';
import type { Schedule } from './schedule.ts';

/** When a scheduled DAG's intervals are, and which of them count. */
export type Calendar = Pick<Plan, 'schedule' | 'timezone' | 'startAt' | 'endAt' | 'catchup'>;

/** What is remembered between two ticks of a DAG's clock. */
export interface ClockState {
  /** Intervals that ended at or before this instant (RFC 3339) have been dealt with; null before the first tick. */
  readonly tickedTo: string | null;
  /** Nothing was paused, deployed or scheduled differently since then: the ticks in between were only late. */
  readonly continued: boolean;
}

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
function dueFrom(schedule: Schedule, calendar: Calendar, clock: ClockState, latestStart: number): number {
  const { timezone, catchup } = calendar;
  const first = firstStart(schedule, calendar) ?? (clock.tickedTo === null ? latestStart : -Infinity);
  if (clock.tickedTo === null) return catchup ? first : Math.max(first, latestStart);
  const next = startOf(schedule, timezone, Date.parse(clock.tickedTo));
  if (catchup) return Math.max(first, next);
  return Math.max(first, next, clock.continued ? -Infinity : latestStart);
}

/**
 * The intervals that are over at `at` (milliseconds since the epoch) and not yet dealt with, oldest first, each once,
 * without a gap. With catchup: all since `startAt`, or since the first tick when there is none. Without: the latest
 * one, and those before it whose ticks were late by at most {@link lateTicksMs}.
 *
 * A clock that goes back makes nothing due that was due before.
 */
export function* dueIntervals(calendar: Calendar, clock: ClockState, at: number): Generator<DataInterval> {
  const { schedule, timezone, catchup } = calendar;
  if (schedule === null) return;
  const latestEnd = previousTick(schedule, timezone, at);
  const latestStart = startOf(schedule, timezone, latestEnd - 1);
  const oldestEnd = catchup ? -Infinity : Math.min(latestEnd, at - lateTicksMs);
  const lastStart = calendar.endAt === null ? Infinity : Date.parse(calendar.endAt);
  let start = dueFrom(schedule, calendar, clock, latestStart);
  if (!catchup) start = Math.max(start, startOf(schedule, timezone, oldestEnd - 1));
  while (start <= Math.min(lastStart, latestStart)) {
    const end = nextTick(schedule, timezone, start);
    const [from, to] = [instantText(start), instantText(end)];
    yield { start: from, end: to, logicalDate: from };
    start = end;
  }
}

/** The instant up to which every interval is dealt with once all that {@link dueIntervals} gave at `at` are. */
export function dealtWithAt(calendar: Calendar, clock: ClockState, at: number): string | null {
  if (calendar.schedule === null) return clock.tickedTo;
  const latestEnd = previousTick(calendar.schedule, calendar.timezone, at);
  if (clock.tickedTo !== null && Date.parse(clock.tickedTo) >= latestEnd) return clock.tickedTo;
  return instantText(latestEnd);
}

/** The interval whose run the clock starts next after `at`; null without a schedule and after the last interval. */
export function nextInterval(calendar: Calendar, at: number): DataInterval | null {
  const { schedule, timezone, endAt } = calendar;
  if (schedule === null) return null;
  const covering = intervalContaining(schedule, timezone, Math.max(at, firstStart(schedule, calendar) ?? at));
  return endAt !== null && Date.parse(covering.start) > Date.parse(endAt) ? null : covering;
}
