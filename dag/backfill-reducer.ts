import type { Decision, IntervalBounds } from './backfill.ts';

/** What became of an interval. `skipped`: the policy, or a run of somebody else's, left nothing to do. */
export type IntervalState = 'skipped' | 'running' | 'success' | 'failed' | 'cancelled';

/** What the ledger is told of an interval. */
export interface IntervalRecord extends IntervalBounds {
  readonly state: IntervalState;
  /** Why it was started or skipped, or how its run failed. */
  readonly reason: string;
  /** Null when no run was started. */
  readonly runId: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

export type BackfillOutcome = 'success' | 'failed' | 'cancelled';

export interface BackfillCounts {
  readonly skipped: number;
  readonly success: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** All a backfill knows between two events; compact once no run is open, so that it can be carried to a new execution. */
export interface BackfillProgress {
  readonly maxActiveRuns: number;
  /** Runs one execution starts before it lets them end and continues as new. */
  readonly runsPerExecution: number;
  /** Start of the next interval to look at; null when all were. */
  readonly cursor: string | null;
  readonly paused: boolean;
  readonly cancelRequested: boolean;
  /** Open runs by the start of their interval. */
  readonly active: Readonly<Record<string, IntervalRecord>>;
  readonly counts: BackfillCounts;
  /** Starts of the first intervals whose run failed or was cancelled. */
  readonly unsuccessful: readonly string[];
  /** Runs this execution has started. */
  readonly started: number;
  /** What the ledger does not know yet. */
  readonly untold: readonly IntervalRecord[];
  /** `paused` as the ledger knows it. */
  readonly toldPaused: boolean;
  /** Grows with everything told to the ledger. */
  readonly revision: number;
  /** An answer is awaited: nothing else is asked before. */
  readonly asking: boolean;
  readonly outcome: BackfillOutcome | null;
}

export type BackfillEvent = { readonly at: number } & (
  | { readonly type: 'begun' }
  | { readonly type: 'answered'; readonly decisions: readonly Decision[]; readonly cursor: string | null }
  | { readonly type: 'run_started'; readonly start: string; readonly runId: string }
  /** Somebody else's run of the interval is open. */
  | { readonly type: 'run_refused'; readonly start: string }
  | {
      readonly type: 'run_ended';
      readonly start: string;
      readonly outcome: BackfillOutcome;
      readonly message: string | null;
    }
  | { readonly type: 'pause_requested' }
  | { readonly type: 'resume_requested' }
  | { readonly type: 'cancel_requested' }
);

export type BackfillCommand =
  /** Tell the ledger, and ask what to do with the next intervals: at most `free` of them are to be started. */
  | {
      readonly type: 'ask';
      readonly records: readonly IntervalRecord[];
      readonly paused: boolean;
      readonly revision: number;
      readonly cursor: string | null;
      readonly free: number;
    }
  | { readonly type: 'start_run'; readonly interval: IntervalBounds }
  | { readonly type: 'cancel_runs' }
  | { readonly type: 'continue_as_new'; readonly progress: BackfillProgress }
  | { readonly type: 'finish'; readonly outcome: BackfillOutcome };

export interface BackfillStep {
  readonly progress: BackfillProgress;
  readonly commands: readonly BackfillCommand[];
}

const keptUnsuccessful = 20;

export function newBackfill(
  cursor: string | null,
  { maxActiveRuns, runsPerExecution }: Pick<BackfillProgress, 'maxActiveRuns' | 'runsPerExecution'>,
): BackfillProgress {
  return {
    maxActiveRuns,
    runsPerExecution,
    cursor,
    paused: false,
    cancelRequested: false,
    active: {},
    counts: { skipped: 0, success: 0, failed: 0, cancelled: 0 },
    unsuccessful: [],
    started: 0,
    untold: [],
    toldPaused: false,
    revision: 0,
    asking: false,
    outcome: null,
  };
}

/**
 * The reducer of a backfill: what happened, to what is to be done. Never more runs open than `maxActiveRuns`, none
 * started while paused, cancelled or about to continue as new; every interval is dealt with once; the ledger has been told
 * everything before it continues as new or finishes.
 */
export function advanceBackfill(before: BackfillProgress, event: BackfillEvent): BackfillStep {
  if (before.outcome !== null) return { progress: before, commands: [] };
  const { progress, commands } = apply(before, event);
  const next = settle(progress);
  return { progress: next.progress, commands: [...commands, ...next.commands] };
}

function step(progress: BackfillProgress, commands: readonly BackfillCommand[] = []): BackfillStep {
  return { progress, commands };
}

function apply(progress: BackfillProgress, event: BackfillEvent): BackfillStep {
  switch (event.type) {
    case 'begun':
      return step(progress);
    case 'answered':
      return answered({ ...progress, asking: false }, event);
    case 'run_started':
      return step(runStarted(progress, event));
    case 'run_refused':
      return step(runRefused(progress, event.start, event.at));
    case 'run_ended':
      return step(runEnded(progress, event));
    case 'pause_requested':
      return step({ ...progress, paused: true });
    case 'resume_requested':
      return step({ ...progress, paused: false });
    case 'cancel_requested':
      return progress.cancelRequested
        ? step(progress)
        : step({ ...progress, cancelRequested: true }, [{ type: 'cancel_runs' }]);
  }
}

function mayStart({ paused, cancelRequested, started, runsPerExecution }: BackfillProgress): boolean {
  return !paused && !cancelRequested && started < runsPerExecution;
}

type Answer = Extract<BackfillEvent, { type: 'answered' }>;

/** Follows the decisions up to the first that may not be carried out any more: it is asked about again. */
function answered(before: BackfillProgress, { decisions, cursor, at }: Answer): BackfillStep {
  let progress = before;
  const commands: BackfillCommand[] = [];
  for (const { start, end, action, reason } of decisions) {
    if (action === 'skip') {
      const record: IntervalRecord = {
        start,
        end,
        state: 'skipped',
        reason,
        runId: null,
        startedAt: null,
        endedAt: at,
      };
      progress = tell(count(progress, 'skipped'), record);
      continue;
    }
    if (!mayStart(progress)) return step({ ...progress, cursor: start }, commands);
    const record: IntervalRecord = {
      start,
      end,
      state: 'running',
      reason,
      runId: null,
      startedAt: at,
      endedAt: null,
    };
    progress = {
      ...progress,
      started: progress.started + 1,
      active: { ...progress.active, [start]: record },
    };
    commands.push({ type: 'start_run', interval: { start, end } });
  }
  return step({ ...progress, cursor }, commands);
}

function count(progress: BackfillProgress, what: keyof BackfillCounts): BackfillProgress {
  return { ...progress, counts: { ...progress.counts, [what]: progress.counts[what] + 1 } };
}

/** Only the latest about an interval is worth telling. */
function tell(progress: BackfillProgress, record: IntervalRecord): BackfillProgress {
  const others = progress.untold.filter((each) => each.start !== record.start);
  return { ...progress, untold: [...others, record] };
}

function runStarted(
  progress: BackfillProgress,
  { start, runId, at }: Extract<BackfillEvent, { type: 'run_started' }>,
): BackfillProgress {
  const known = progress.active[start];
  if (known === undefined) return progress;
  const record: IntervalRecord = { ...known, runId, startedAt: at };
  return tell({ ...progress, active: { ...progress.active, [start]: record } }, record);
}

function withoutActive(progress: BackfillProgress, start: string): BackfillProgress {
  const { [start]: _, ...active } = progress.active;
  return { ...progress, active };
}

function runRefused(progress: BackfillProgress, start: string, at: number): BackfillProgress {
  const known = progress.active[start];
  if (known === undefined) return progress;
  const reason = 'latest run is under way';
  const record: IntervalRecord = { ...known, state: 'skipped', reason, startedAt: null, endedAt: at };
  return tell(count(withoutActive(progress, start), 'skipped'), record);
}

function runEnded(
  progress: BackfillProgress,
  { start, outcome, message, at }: Extract<BackfillEvent, { type: 'run_ended' }>,
): BackfillProgress {
  const known = progress.active[start];
  if (known === undefined) return progress;
  const record: IntervalRecord = { ...known, state: outcome, reason: message ?? known.reason, endedAt: at };
  const counted = count(withoutActive(progress, start), outcome);
  const unsuccessful =
    outcome === 'success' || counted.unsuccessful.length >= keptUnsuccessful
      ? counted.unsuccessful
      : [...counted.unsuccessful, start];
  return tell({ ...counted, unsuccessful }, record);
}

function outcomeOf({ cancelRequested, counts }: BackfillProgress): BackfillOutcome {
  if (cancelRequested) return 'cancelled';
  return counts.failed + counts.cancelled > 0 ? 'failed' : 'success';
}

function settle(progress: BackfillProgress): BackfillStep {
  if (progress.asking) return step(progress);
  const open = Object.keys(progress.active).length;
  const wanted = progress.cursor !== null && mayStart(progress);
  const free = wanted
    ? Math.min(progress.maxActiveRuns - open, progress.runsPerExecution - progress.started)
    : 0;
  if (free > 0 || progress.untold.length > 0 || progress.paused !== progress.toldPaused)
    return ask(progress, Math.max(free, 0));
  if (open > 0) return step(progress);
  if (progress.cursor === null || progress.cancelRequested) return finish(progress);
  if (progress.started >= progress.runsPerExecution) return renew(progress);
  return step(progress);
}

function ask(before: BackfillProgress, free: number): BackfillStep {
  const { untold: records, paused, cursor } = before;
  const revision = before.revision + 1;
  const progress = { ...before, untold: [], toldPaused: paused, revision, asking: true };
  return step(progress, [{ type: 'ask', records, paused, revision, cursor, free }]);
}

function finish(progress: BackfillProgress): BackfillStep {
  const outcome = outcomeOf(progress);
  return step({ ...progress, outcome }, [{ type: 'finish', outcome }]);
}

function renew(progress: BackfillProgress): BackfillStep {
  return step(progress, [{ type: 'continue_as_new', progress: { ...progress, started: 0 } }]);
}
