import type { BackfillRange, Decision, IntervalBounds, Reprocess } from '../dag/backfill.ts';
import type {
  BackfillOutcome,
  BackfillProgress,
  IntervalRecord,
  IntervalState,
} from '../dag/backfill-reducer.ts';
import type { Timetable } from '../dag/interval.ts';
import type { JsonObject } from '../dag/json.ts';
import type { RunState } from '../dag/plan.ts';

/** What a backfill is asked to do; settled when it is created. */
export interface BackfillRequest extends BackfillRange {
  readonly dagId: string;
  /** Schedule and zone when it was created: editing the DAG does not move the intervals of a backfill under way. */
  readonly timetable: Timetable;
  readonly reprocess: Reprocess;
  readonly maxActiveRuns: number;
  /** As given; the DAG's defaults are filled in by each run. */
  readonly params: JsonObject;
  /** Runs one execution starts before it continues as new. */
  readonly runsPerExecution: number;
  /** Its runs leave alone what is made of the same as when it was published. */
  readonly skipUnchanged?: true;
}

/** The workflow's one argument; `carried` is what the execution before hands on. */
export interface BackfillInput {
  readonly request: BackfillRequest;
  readonly carried: BackfillProgress | null;
}

export type BackfillState = 'running' | 'paused' | BackfillOutcome;

export interface NewBackfill {
  /** Temporal's first execution run id: one per creation, stable over continue-as-new. */
  readonly backfillId: string;
  /** `ingot-backfill-<dag>-<from>-<to>`; at most one backfill of it is open. */
  readonly workflowId: string;
  readonly request: BackfillRequest;
  /** Intervals in the range. */
  readonly total: number;
  readonly createdAt: string;
}

export interface BackfillRecord extends BackfillRange {
  readonly backfillId: string;
  readonly workflowId: string;
  readonly dagId: string;
  readonly reprocess: Reprocess;
  readonly maxActiveRuns: number;
  readonly params: JsonObject;
  readonly state: BackfillState;
  readonly createdAt: string;
  readonly endedAt: string | null;
  /** Intervals by what became of them; `remaining` ones were not looked at. */
  readonly counts: Readonly<Record<IntervalState | 'remaining' | 'total', number>>;
}

export interface BackfillIntervalRecord extends IntervalBounds {
  readonly state: IntervalState;
  readonly reason: string;
  readonly runId: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** What backfills did and do. Every write may be repeated. */
export interface BackfillLog {
  /** Records a backfill; a still open one of the same workflow id is closed as failed: its execution must have ended unsaid. */
  beginBackfill(backfill: NewBackfill): Promise<void>;
  /** Adds what became of intervals, and whether the backfill is paused. An interval never leaves a final state; what is older than `revision` changes nothing of the pause. */
  recordBackfill(
    backfillId: string,
    told: {
      readonly records: readonly IntervalRecord[];
      readonly paused: boolean;
      readonly revision: number;
    },
  ): Promise<void>;
  /** Closes the backfill; intervals still open become `leftOver`. Closing twice keeps the first outcome. */
  endBackfill(
    backfillId: string,
    outcome: BackfillOutcome,
    endedAt: string,
    leftOver?: { readonly state: 'failed' | 'cancelled'; readonly reason: string },
  ): Promise<void>;
  backfill(backfillId: string): Promise<BackfillRecord | null>;
  /** Newest first; default 50. */
  backfills(filter: {
    readonly dagId?: string;
    readonly workflowId?: string;
    readonly open?: boolean;
    readonly limit?: number;
  }): Promise<readonly BackfillRecord[]>;
  /** In order of their starts; `latest`: those that ended last, newest first. */
  backfillIntervals(
    backfillId: string,
    filter?: {
      readonly states?: readonly IntervalState[];
      readonly limit?: number;
      readonly latest?: boolean;
    },
  ): Promise<readonly BackfillIntervalRecord[]>;
  /** State of the latest run of each of the workflow ids that has one. */
  latestRunStates(workflowIds: readonly string[]): Promise<ReadonlyMap<string, RunState>>;
}

export interface BeginBackfillRequest extends Omit<NewBackfill, 'total'> {}

export interface AskRequest {
  readonly backfillId: string;
  readonly request: BackfillRequest;
  readonly records: readonly IntervalRecord[];
  readonly paused: boolean;
  readonly revision: number;
  readonly cursor: string | null;
  /** At most so many of the decisions are to start a run. */
  readonly free: number;
}

export interface Answer {
  readonly decisions: readonly Decision[];
  /** Where to go on; null when the range is exhausted. */
  readonly cursor: string | null;
}

export interface EndBackfillRequest {
  readonly backfillId: string;
  readonly outcome: BackfillOutcome;
  readonly endedAt: string;
}

/** The activities of a backfill, by their type. Each may be repeated. */
export type BackfillSteps = {
  /** Answers the start of the first interval. */
  readonly 'ingot.beginBackfill': (request: BeginBackfillRequest) => Promise<string | null>;
  readonly 'ingot.askBackfill': (request: AskRequest) => Promise<Answer>;
  readonly 'ingot.endBackfill': (request: EndBackfillRequest) => Promise<void>;
};

/** What a backfill's workflow returns. */
export interface BackfillSummary {
  readonly backfillId: string;
  readonly skipped: number;
  readonly success: number;
}
