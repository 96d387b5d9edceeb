import type {
  CalendarSpec,
  Month,
  ScheduleDescription,
  ScheduleOptions,
  ScheduleSpec,
  ScheduleSpecDescription,
} from '@temporalio/client';
import { clockTimes, type ClockTimes, type WallTimes } from '../dag/clock-times.ts';
import { intervalContaining } from '../dag/interval.ts';
import { canonicalJson, type Json } from '../dag/json.ts';
import type { Plan } from '../dag/plan.ts';

const months: readonly Month[] = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
];
const weekdays = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;

/** For so many years from now the ticks around changes of daylight saving are listed one by one; a deploy renews them. */
const yearsAhead = 5;
/** An interval this long ticks once in the time that counts. */
const onceMs = 10 * 365 * 86_400_000;

function timesOf(plan: Plan, now: number): ClockTimes {
  const { schedule, timezone } = plan;
  if (schedule === null || !('cron' in schedule)) return { walls: [], instants: [] };
  const year = new Date(now).getUTCFullYear();
  return clockTimes(schedule, timezone, Date.UTC(year, 0, 1), Date.UTC(year + yearsAhead, 0, 1));
}

function intervalsOf(
  plan: Plan,
  { instants }: ClockTimes,
): { readonly every: number; readonly offset: number }[] {
  const { schedule } = plan;
  if (schedule !== null && 'everyMs' in schedule) return [{ every: schedule.everyMs, offset: 0 }];
  return instants.map((at) => ({ every: onceMs, offset: at % onceMs }));
}

function calendar(times: WallTimes): CalendarSpec {
  return {
    second: 0,
    minute: [...times.minutes],
    hour: [...times.hours],
    dayOfMonth: times.days.length === 31 ? '*' : [...times.days],
    month: times.months.length === 12 ? '*' : times.months.map((month) => months[month - 1]!),
    dayOfWeek: times.weekdays.length === 7 ? '*' : times.weekdays.map((weekday) => weekdays[weekday]!),
  };
}

/** When the last interval of the DAG is over, and a moment more. */
function lastTick(plan: Plan): Date {
  const last = intervalContaining(plan.schedule, plan.timezone, Date.parse(plan.endAt!));
  return new Date(Date.parse(last.end) + 1000);
}

/** The clock of a DAG: it ticks at the end of every interval. What is due at a tick is not its business. */
export function scheduleSpec(plan: Plan, now: number): ScheduleSpec {
  const { schedule, timezone, startAt, endAt, jitterMs } = plan;
  if (schedule === null) throw new RangeError(`The DAG ${plan.dagId} has no schedule.`);
  const times = timesOf(plan, now);
  return {
    calendars: times.walls.map(calendar),
    intervals: intervalsOf(plan, times),
    timezone,
    ...(startAt === null ? {} : { startAt: new Date(startAt) }),
    ...(endAt === null ? {} : { endAt: lastTick(plan) }),
    ...(jitterMs === undefined ? {} : { jitter: jitterMs }),
  };
}

export const schedulePolicies = {
  // One tick after another, none dropped: what a tick would have found is found by the next one too, but each is seen.
  overlap: 'BUFFER_ALL',
  // Ticks that came while the server was down are made up, however long that was.
  catchupWindow: '365 days',
  pauseOnFailure: false,
} as const satisfies ScheduleOptions['policies'];

interface DescribedRange {
  readonly start: number | string;
  readonly end: number | string;
  readonly step: number;
}

function place(value: number | string): number {
  if (typeof value === 'number') return value;
  const month = months.indexOf(value as Month);
  return month >= 0 ? month + 1 : weekdays.indexOf(value as (typeof weekdays)[number]);
}

function values(ranges: readonly DescribedRange[] | undefined): number[] {
  const found = new Set<number>();
  for (const { start, end, step } of ranges ?? [])
    for (let value = place(start); value <= place(end); value += step || 1) found.add(value);
  return [...found].sort((a, b) => a - b);
}

function described(spec: ScheduleSpecDescription): Json {
  const calendars = (spec.calendars ?? []).map((each) => ({
    minutes: values(each.minute),
    hours: values(each.hour),
    days: values(each.dayOfMonth),
    months: values(each.month),
    weekdays: values(each.dayOfWeek),
  }));
  return {
    calendars: calendars.map((each) => canonicalJson(each)).sort(),
    intervals: (spec.intervals ?? [])
      .map((each) => canonicalJson([Number(each.every), Number(each.offset)]))
      .sort(),
    timezone: spec.timezone ?? 'UTC',
    startAt: spec.startAt?.toISOString() ?? null,
    endAt: spec.endAt?.toISOString() ?? null,
    jitter: spec.jitter ?? 0,
  };
}

function wanted(plan: Plan, now: number): Json {
  const spec = scheduleSpec(plan, now);
  const times = timesOf(plan, now);
  return {
    calendars: times.walls.map((each) => canonicalJson({ ...each })).sort(),
    intervals: intervalsOf(plan, times)
      .map(({ every, offset }) => canonicalJson([every, offset]))
      .sort(),
    timezone: plan.timezone,
    startAt: spec.startAt?.toISOString() ?? null,
    endAt: spec.endAt?.toISOString() ?? null,
    jitter: plan.jitterMs ?? 0,
  };
}

/** True when Temporal's schedule ticks as the plan wants it, whoever wrote it. */
export function ticksAsWanted(plan: Plan, description: ScheduleDescription, now: number): boolean {
  return canonicalJson(described(description.spec)) === canonicalJson(wanted(plan, now));
}
