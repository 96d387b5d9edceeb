import type { Json, JsonObject } from './json.ts';
import type { PastSeen, PastStanding } from './past.ts';
import type { PoolPlan, RunOutcome, RunState, TaskState } from './plan.ts';
import type { PoolAnswer, PoolStanding } from './pools.ts';

/**
 * Names a task instance: `<task id>`, or `<task id>[<index>]` for an instance of a mapped task. A mapped task has
 * one more under its own id that stands for the whole of it, and is never attempted itself.
 */
export type InstanceKey = string;

/** A failure as the boundary translated it. `type` is what retry rules match. */
export interface Failure {
  readonly type: string;
  readonly message: string;
  /** False for a TerminalError: trying again cannot help. */
  readonly retryable: boolean;
}

export interface TaskInstance {
  readonly key: InstanceKey;
  readonly taskId: string;
  readonly mapIndex: number | null;
  /** `scheduled`: ready, and waiting for one of the run's slots (`maxActiveTasks`); `attempt` is the one about to begin. */
  readonly state: TaskState;
  /** Of a mapped task as a whole, once expanded: the length of its list. Instances are made as they begin, in order. */
  readonly size?: number;
  /**
   * Attempts begun so far; the epoch under which the current one may publish. A sensor pokes any number of times
   * within one attempt. Stays 0 for a mapped task as a whole, a `wait`, an `approval` and what never started, except
   * that clearing counts: an instance that was cleared is `none` under the number its next attempt will have.
   */
  readonly attempt: number;
  /** Attempts that failed by their own fault and used up the retry budget. */
  readonly failures: number;
  /** Attempts thrown away because the snapshot they worked from no longer held. */
  readonly conflicts: number;
  /** Null unless it succeeded. That of a mapped task as a whole is not stored: {@link taskOutput} makes it from its instances. */
  readonly output: Json;
  readonly failure: Failure | null;
  /** Why a `waiting` or `up_for_retry` instance is not running, and until or since when (ms since the epoch). */
  readonly waitingFor: WaitReason | null;
  /** When it first became ready to run, whatever the attempt. */
  readonly scheduledAt: number | null;
  readonly endedAt: number | null;
}

/** Ends when its timer fires. */
export type TimedWait =
  | { readonly reason: 'retry'; readonly untilMs: number }
  | { readonly reason: 'timer'; readonly untilMs: number }
  | { readonly reason: 'sensor'; readonly untilMs: number }
  | { readonly reason: 'snapshot_conflict'; readonly untilMs: number }
  | { readonly reason: 'no_worker_knows_task'; readonly untilMs: number };

/** Ends when a person answers, or its timer fires if there is one. */
export interface ApprovalWait {
  readonly reason: 'approval';
  readonly untilMs: number | null;
}

/** Ends when the pool grants its slots. `standing` is null until the pool was asked. */
export interface PoolWait {
  readonly reason: 'pool';
  readonly pool: string;
  readonly slots: number;
  readonly sinceMs: number;
  readonly standing: PoolStanding | null;
}

/** Ends when the same task of the previous interval's run has succeeded or was skipped. `past` is null until the ledger was asked. */
export interface PastWait {
  readonly reason: 'past';
  readonly sinceMs: number;
  readonly past: PastStanding | null;
}

export type WaitReason = TimedWait | ApprovalWait | PoolWait | PastWait;

/** Which events a run was given: bounded, however many they are. */
export interface TriggeringEvents {
  /** Of the DAG's runs that assets started, which this is. */
  readonly number: number;
  readonly count: number;
  readonly assets: readonly { readonly asset: string; readonly count: number }[];
}

/**
 * Which instances run again. Named by task or, of a mapped task, by instance (`load[3]`); none named means every task
 * that failed or could not run because another one had.
 */
export interface ClearRequest {
  readonly tasks: readonly string[];
  /** Also everything that depends on them, or that they depend on, whatever its state. */
  readonly downstream: boolean;
  readonly upstream: boolean;
  /** Of all these only what failed, or is upstream_failed. */
  readonly onlyFailed: boolean;
}

/** What a person does to a run. `by` says who. One that does not fit the run changes nothing: see `changeProblems`. */
export type OperatorChange = { readonly by: string } & (
  | ({ readonly type: 'tasks_cleared' } & ClearRequest)
  | {
      readonly type: 'task_marked';
      readonly key: InstanceKey;
      readonly as: 'success' | 'failed';
      /** What tasks downstream find as its output; only with success. */
      readonly output: Json;
    }
  | {
      readonly type: 'approval_answered';
      readonly key: InstanceKey;
      readonly answer: 'approved' | 'rejected';
      readonly note: string | null;
    }
);

/** What the run's tasks may refer to besides each other. All small JSON. */
export interface RunFacts {
  readonly run: { readonly id: string; readonly type: string };
  readonly interval: { readonly start: string; readonly end: string; readonly logicalDate: string };
  readonly params: JsonObject;
  /** Why assets started the run; the events themselves are in the ledger. */
  readonly triggeringEvents?: TriggeringEvents;
  /** Tasks leave alone what is made of the same as when it was published. */
  readonly skipUnchanged?: true;
}

/** Everything the interpreter carries from one step to the next; plain JSON. */
export interface RunProgress {
  readonly facts: RunFacts;
  readonly instances: Readonly<Record<InstanceKey, TaskInstance>>;
  readonly cancelRequested: boolean;
  /** Nothing of the previous interval's run is waited for any more. */
  readonly pastSettled?: true;
  /** Every task has ended and the run would fail, but its DAG has it wait for an operator. */
  readonly held?: true;
  /** The number the next attempt has of instances that are no more, since the list of their mapped task is shorter by now. */
  readonly epochs?: Readonly<Record<InstanceKey, number>>;
  /** Present while nothing new may begin, because the execution is about to continue as new. */
  readonly draining?: true;
  /** Null while the run is open. */
  readonly outcome: RunState | null;
}

/** `at` is milliseconds since the epoch, from the caller's clock. Late events of earlier attempts are ignored. */
export type RunEvent = { readonly at: number } & (
  | { readonly type: 'run_started' }
  /** Begins a run that carries on from an earlier one: see `resumeRun`. */
  | { readonly type: 'run_resumed'; readonly change: OperatorChange }
  | {
      readonly type: 'attempt_succeeded';
      readonly key: InstanceKey;
      readonly attempt: number;
      readonly output: Json;
    }
  | {
      readonly type: 'attempt_failed';
      readonly key: InstanceKey;
      readonly attempt: number;
      readonly failure: Failure;
    }
  | { readonly type: 'snapshot_conflicted'; readonly key: InstanceKey; readonly attempt: number }
  | { readonly type: 'task_unknown'; readonly key: InstanceKey; readonly attempt: number }
  | { readonly type: 'timer_fired'; readonly key: InstanceKey }
  /** What pools said of the instances that wait for them. */
  | { readonly type: 'pools_answered'; readonly answers: readonly PoolAnswer[] }
  | ({ readonly type: 'past_seen' } & PastSeen)
  | { readonly type: 'cancel_requested' }
  | OperatorChange
  /** The execution grows long: begin nothing more, and continue as new when nothing runs. */
  | { readonly type: 'drain_requested' }
  /** What runs takes too long to wait for: go on for now. */
  | { readonly type: 'drain_given_up' }
  /** A new execution takes the run over: it has neither timers nor attempts yet. */
  | { readonly type: 'run_continued' }
);

export type RunCommand =
  | {
      /** The same attempt number comes again for the next poke of a sensor and for a task that no worker knew. */
      readonly type: 'start_attempt';
      readonly key: InstanceKey;
      readonly taskId: string;
      readonly mapIndex: number | null;
      readonly attempt: number;
      /** Input with every reference resolved. */
      readonly input: Json;
      /** Take leases on the partitions first: this instance lost its snapshot three times. */
      readonly lease: boolean;
    }
  | { readonly type: 'start_timer'; readonly key: InstanceKey; readonly untilMs: number }
  | { readonly type: 'cancel_timer'; readonly key: InstanceKey }
  | { readonly type: 'ask_pool'; readonly key: InstanceKey; readonly pool: PoolPlan }
  /** Gives slots back, or the place in the queue. */
  | { readonly type: 'release_pool'; readonly key: InstanceKey }
  /** Ask the ledger about the previous interval's run, now and then for as long as an instance waits for it. */
  | { readonly type: 'look_at_past' }
  | { readonly type: 'cancel_attempt'; readonly key: InstanceKey; readonly attempt: number }
  /** Nothing runs: carry the progress on in a new execution. */
  | { readonly type: 'continue_as_new' }
  | {
      readonly type: 'finish_run';
      readonly outcome: RunOutcome;
      readonly failures: readonly InstanceKey[];
    };

export interface Step {
  readonly progress: RunProgress;
  readonly commands: readonly RunCommand[];
  /** Instances whose state changed in this step, for the ledger. */
  readonly changed: readonly TaskInstance[];
}
