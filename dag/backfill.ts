import type { DataInterval, Timetable } from './interval.ts';
import { instantOfText, instantText } from './interval.ts';
import { isDate } from './params.ts';
import type { Plan, RunState } from './plan.ts';
import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';
import { nextTick, previousTick } from './schedule.ts';
import { instantOf } from './zone.ts';

/**
 * Which intervals a backfill runs again; Airflow's names and meanings. In every policy, an interval whose latest run
 * is still open is left alone.
 *
 * - `none`: only intervals that never had a run.
 * - `failed`: those as well whose latest run failed or was cancelled.
 * - `completed`: all, whatever came of their latest run.
 */
export const reprocessPolicies = ['none', 'failed', 'completed'] as const;
export type Reprocess = (typeof reprocessPolicies)[number];

/** As in Airflow. */
export const defaultBackfillRuns = 10;
/** More runs at a time than one workflow should have children. */
export const mostBackfillRuns = 500;

/** The intervals a backfill covers: those that start from `from` to `to`, both included (RFC 3339 UTC instants). */
export interface BackfillRange {
  readonly from: string;
  readonly to: string;
  readonly backwards: boolean;
}

export type IntervalBounds = Pick<DataInterval, 'start' | 'end'>;

/** Why an interval gets a run, or none. */
export type DecisionReason =
  | 'no run yet'
  | 'latest run failed'
  | 'latest run cancelled'
  | 'latest run succeeded'
  | 'latest run is under way';

/** What a backfill does with an interval. */
export interface Decision extends IntervalBounds {
  readonly action: 'start' | 'skip';
  readonly reason: DecisionReason;
}

const reasons: Readonly<Record<RunState, DecisionReason>> = {
  running: 'latest run is under way',
  failed: 'latest run failed',
  cancelled: 'latest run cancelled',
  success: 'latest run succeeded',
};

const again: Readonly<Record<Reprocess, readonly RunState[]>> = {
  none: [],
  failed: ['failed', 'cancelled'],
  completed: ['failed', 'cancelled', 'success'],
};

/** What a backfill does with an interval whose latest run is in `latest` (null: it never had one; queued counts as running). */
export function decide(reprocess: Reprocess, latest: RunState | null): Pick<Decision, 'action' | 'reason'> {
  if (latest === null) return { action: 'start', reason: 'no run yet' };
  return { action: again[reprocess].includes(latest) ? 'start' : 'skip', reason: reasons[latest] };
}

const daily = { cron: '@daily' };

/**
 * The intervals of a range, each once and without a gap, oldest first or, backwards, newest first. `cursor` is the
 * start of an interval of the range to begin with in place of the first.
 */
export function* backfillIntervals(
  { schedule, timezone }: Timetable,
  { from, to, backwards }: BackfillRange,
  cursor: string | null = null,
): Generator<IntervalBounds> {
  const ticks = schedule ?? daily;
  const [first, last] = [
    nextTick(ticks, timezone, Date.parse(from) - 1),
    previousTick(ticks, timezone, Date.parse(to)),
  ];
  let start = cursor === null ? (backwards ? last : first) : Date.parse(cursor);
  while (start >= first && start <= last) {
    yield { start: instantText(start), end: instantText(nextTick(ticks, timezone, start)) };
    start = backwards ? previousTick(ticks, timezone, start - 1) : nextTick(ticks, timezone, start);
  }
}

type Limits = Pick<Plan, 'schedule' | 'timezone' | 'startAt' | 'endAt' | 'dependsOnPast'>;

/** A date as `to` means the whole day, whatever the schedule: its last instant in the DAG's time zone. */
function lastInstant(text: string, timezone: string): number | null {
  if (!isDate(text)) return instantOfText(text, timezone);
  return instantOf(timezone, Date.parse(`${text}T00:00:00Z`) + 86_400_000) - 1;
}

/** The start of the newest interval that is over at `now`. */
function latestOver({ schedule, timezone }: Timetable, now: number): number {
  return previousTick(schedule ?? daily, timezone, previousTick(schedule ?? daily, timezone, now) - 1);
}

interface Ends {
  readonly from: number;
  readonly to: number;
}

function endsOf(texts: { readonly from: string; readonly to: string }, timezone: string): Ends | Problem[] {
  const from = instantOfText(texts.from, timezone);
  const to = lastInstant(texts.to, timezone);
  const wrong = (place: string, text: string) =>
    problem(place, 'YYYY-MM-DD or an RFC 3339 instant', shown(text), 'For example 2026-01-31.');
  const problems = [
    ...(from === null ? [wrong('--from', texts.from)] : []),
    ...(to === null ? [wrong('--to', texts.to)] : []),
  ];
  return from === null || to === null ? problems : { from, to };
}

/**
 * The range meant by two dates (or instants) for a DAG, with the starts of its first and last interval; or everything
 * that is wrong with it. Intervals before the DAG's start date, after its end date and not over at `now` are refused,
 * not left out: who asks for them should know.
 */
export function backfillRange(
  limits: Limits,
  texts: { readonly from: string; readonly to: string },
  backwards: boolean,
  now: number,
): BackfillRange | readonly Problem[] {
  const { schedule, timezone, startAt, endAt } = limits;
  if (backwards && limits.dependsOnPast)
    return [
      problem(
        '--backwards',
        'a DAG whose runs do not depend on the past',
        'dependsOnPast: each run would wait for the one before, which comes after it',
        'Leave --backwards out.',
      ),
    ];
  const ends = endsOf(texts, timezone);
  if (!('from' in ends)) return ends;
  if (ends.from > ends.to)
    return [problem('--to', `a date not before ${texts.from}`, texts.to, 'Swap them.')];
  const first = nextTick(schedule ?? daily, timezone, ends.from - 1);
  const last = previousTick(schedule ?? daily, timezone, ends.to);
  if (first > last)
    return [
      problem(
        '--from, --to',
        'a range in which at least one data interval starts',
        `${texts.from} to ${texts.to}`,
        `The nearest start at ${instantText(last)} and ${instantText(first)}.`,
      ),
    ];
  const newest = latestOver(limits, now);
  const problems = [
    ...(startAt !== null && first < Date.parse(startAt)
      ? [
          problem(
            '--from',
            `a date within the DAG's, which begins ${startAt}`,
            instantText(first),
            'Begin there, or change startDate.',
          ),
        ]
      : []),
    ...(endAt !== null && last > Date.parse(endAt)
      ? [
          problem(
            '--to',
            `a date within the DAG's, which ends ${endAt}`,
            instantText(last),
            'End there, or change endDate.',
          ),
        ]
      : []),
    ...(last > newest
      ? [
          problem(
            '--to',
            'data intervals that are over',
            `one that starts ${instantText(last)}`,
            `The newest that is over starts ${instantText(newest)}.`,
          ),
        ]
      : []),
  ];
  return problems.length > 0 ? problems : { from: instantText(first), to: instantText(last), backwards };
}

/** Two backfills of one range cannot be open at the same time; any two that overlap share no open run, which Temporal sees to. */
export function backfillWorkflowId(dagId: string, { from, to }: Pick<BackfillRange, 'from' | 'to'>): string {
  return `ingot-backfill-${dagId}-${shortInstant(from)}-${shortInstant(to)}`;
}

function shortInstant(instant: string): string {
  return instant.replace('T00:00:00Z', '');
}

/**
 * Milliseconds until the rest is done, judged by when the latest runs ended (milliseconds since the epoch, any order);
 * null while there are too few to judge by.
 */
export function remainingMs(endings: readonly number[], remaining: number, now: number): number | null {
  if (endings.length < 3) return null;
  const first = Math.min(...endings);
  return Math.round(((now - first) / endings.length) * remaining);
}
