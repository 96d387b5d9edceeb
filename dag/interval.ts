import { isDate } from './params.ts';
import type { Plan } from './plan.ts';
import { problem } from './problems.ts';
import { nextTick, previousTick } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { instantOf } from './zone.ts';

/** What a run covers: `[start, end)`, RFC 3339 UTC instants in whole seconds. `logicalDate` is the start. */
export interface DataInterval {
  readonly start: string;
  readonly end: string;
  readonly logicalDate: string;
}

/** The schedule and zone of a plan, as the functions here take them. */
export type Timetable = Pick<Plan, 'schedule' | 'timezone'>;

/** A DAG without a schedule covers calendar days of its time zone. */
const unscheduled: Schedule = { cron: '@daily' };

/** `2026-01-01T00:00:00Z`: the one text form of an instant. */
export function instantText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function interval(start: number, end: number): DataInterval {
  return { start: instantText(start), end: instantText(end), logicalDate: instantText(start) };
}

/** The interval an instant lies in. */
export function intervalContaining(schedule: Schedule | null, timezone: string, at: number): DataInterval {
  const start = previousTick(schedule ?? unscheduled, timezone, at);
  return interval(start, nextTick(schedule ?? unscheduled, timezone, start));
}

/** Thrown when no interval starts at the instant asked for; names the nearest that do. */
export class NoIntervalError extends Error {
  override readonly name = 'NoIntervalError';
  readonly nearest: readonly string[];
  constructor(asked: string, nearest: readonly string[]) {
    super(
      problem(
        'logical date',
        'the start of a data interval',
        asked,
        `The nearest are ${nearest.join(' and ')}.`,
      ).message,
    );
    this.nearest = nearest;
  }
}

/** The interval that starts at an instant. Throws {@link NoIntervalError} when none does. */
export function intervalStartingAt(schedule: Schedule | null, timezone: string, at: number): DataInterval {
  const containing = intervalContaining(schedule, timezone, at);
  if (Date.parse(containing.start) === at) return containing;
  throw new NoIntervalError(instantText(at), [containing.start, containing.end]);
}

/** The instant of `2026-01-01` (midnight in the zone) or of an RFC 3339 text with offset; null for anything else. */
export function instantOfText(text: unknown, timezone: string): number | null {
  if (isDate(text)) return instantOf(timezone, Date.parse(`${text}T00:00:00Z`));
  if (typeof text !== 'string') return null;
  const match =
    /^(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)$/.exec(
      text,
    );
  if (match === null || !isDate(match[1])) return null;
  const at = Date.parse(
    text
      .toUpperCase()
      .replace(' ', 'T')
      .replace(/([+-]\d{2})(\d{2})$/, '$1:$2'),
  );
  return Number.isNaN(at) ? null : at;
}

/**
 * The interval a person means by a logical date: `2026-01-01` is the one that starts at midnight of that day in the
 * DAG's time zone. Throws {@link NoIntervalError} when none starts there.
 */
export function intervalForDate(timetable: Timetable, text: string): DataInterval {
  const at = instantOfText(text, timetable.timezone);
  if (at === null)
    throw new RangeError(
      problem(
        'logical date',
        'YYYY-MM-DD or an RFC 3339 instant',
        JSON.stringify(text),
        'For example 2026-01-01.',
      ).message,
    );
  return intervalStartingAt(timetable.schedule, timetable.timezone, at);
}

/** The Temporal workflow id of a run: `<dag>-<interval end>`, so that one interval has at most one open run. */
export function runWorkflowId(dagId: string, covered: Pick<DataInterval, 'end'>): string {
  return `${dagId}-${instantText(Date.parse(covered.end))}`;
}
