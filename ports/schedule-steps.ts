import type { DataInterval } from '../dag/interval.ts';
import type { Admission } from './schedule-log.ts';

/** What a DAG's clock starts: the one argument of the workflow `tick`. */
export interface TickRequest {
  readonly dagId: string;
}

export interface DueRequest {
  readonly dagId: string;
  /** RFC 3339. */
  readonly at: string;
  /** Workflow ids of the runs this tick started that have not ended: they count as active though the ledger may not know them yet. */
  readonly started: readonly string[];
}

/** What a tick is to do. */
export type DueRuns =
  | { readonly state: 'not_deployed' | 'paused' }
  | {
      readonly state: 'in_force';
      /** Intervals without a run, oldest first, at most as many as may run now. */
      readonly due: readonly DataInterval[];
      /** Up to where the clock may be moved once those are started. */
      readonly tickedTo: string | null;
      /** More is due than may run now, or than was looked at. */
      readonly more: boolean;
      /** Runs that are in the way, when the DAG has as many as it may. */
      readonly active: readonly string[];
      readonly maxActiveRuns: number;
    };

export interface ClockRequest {
  readonly dagId: string;
  readonly tickedTo: string;
}

/** The activities behind schedules and `maxActiveRuns`, by their type. Each may be repeated. */
export type ScheduleSteps = {
  readonly 'ingot.dueRuns': (request: DueRequest) => Promise<DueRuns>;
  readonly 'ingot.moveClock': (request: ClockRequest) => Promise<void>;
  readonly 'ingot.admitRun': (request: { readonly runId: string }) => Promise<Admission>;
  readonly 'ingot.nextQueued': (request: { readonly runId: string }) => Promise<string | null>;
};

/** What a tick did: the result of the workflow `tick`. */
export interface TickSummary {
  readonly dagId: string;
  readonly outcome: 'done' | 'paused' | 'not_deployed';
  /** Workflow ids of the runs it started; of a long list the last. */
  readonly started: readonly string[];
}
