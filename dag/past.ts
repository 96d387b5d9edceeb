import { intervalContaining } from './interval.ts';
import type { DataInterval, Timetable } from './interval.ts';
import type { RunProgress } from './run-progress.ts';
import type { Plan, RunState, TaskState } from './plan.ts';

/** The latest run of the previous interval. */
export interface PreviousRun {
  readonly dagId: string;
  readonly workflowId: string;
  readonly interval: { readonly start: string; readonly end: string };
  /** Null when the interval never had a run. */
  readonly runId: string | null;
  readonly state: RunState | 'queued' | null;
}

/** How a task stands in it; `task` is null when it did not get that far. */
export interface PastStanding extends PreviousRun {
  readonly task: TaskState | null;
}

/** What a look at the previous interval's run found. */
export interface PastSeen {
  /** Tasks that need not wait any longer; `all` of the run, those that come later as well. */
  readonly settled: 'all' | readonly string[];
  readonly previous: PreviousRun;
  /** Of the tasks that go on waiting. */
  readonly tasks: Readonly<Record<string, TaskState>>;
}

/** The interval before one that starts at `start`; null for the DAG's first, which waits for nothing. */
export function previousInterval(
  plan: Timetable & Pick<Plan, 'startAt'>,
  start: string,
): DataInterval | null {
  const before = intervalContaining(plan.schedule, plan.timezone, Date.parse(start) - 1);
  return plan.startAt !== null && Date.parse(before.start) < Date.parse(plan.startAt) ? null : before;
}

/** Ids of the tasks of a run that wait for its past. */
export function waitingForPast({ instances }: Pick<RunProgress, 'instances'>): readonly string[] {
  return Object.values(instances)
    .filter(({ waitingFor }) => waitingFor?.reason === 'past')
    .map(({ taskId }) => taskId);
}

/** What the ledger knows of the previous interval's run. */
export interface PastFacts {
  readonly previous: PreviousRun;
  /** State of each of its tasks that began or was decided. */
  readonly tasks: ReadonlyMap<string, TaskState>;
  /** Ids of the tasks it has. */
  readonly known: ReadonlySet<string>;
}

/**
 * Which of the waiting tasks need not wait any longer: all once that run succeeded (what failed in it was handled);
 * before, those that succeeded or were skipped in it, and those it does not have.
 */
export function settledPast({ previous, tasks, known }: PastFacts, waiting: readonly string[]): PastSeen {
  if (previous.state === 'success') return { settled: 'all', previous, tasks: {} };
  const isSettled = (id: string): boolean => {
    if (previous.runId !== null && !known.has(id)) return true;
    const state = tasks.get(id);
    return state === 'success' || state === 'skipped';
  };
  const open = waiting.filter((id) => !isSettled(id));
  return {
    settled: waiting.filter(isSettled),
    previous,
    tasks: Object.fromEntries(open.flatMap((id) => (tasks.has(id) ? [[id, tasks.get(id)!]] : []))),
  };
}
