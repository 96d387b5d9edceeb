import type { Json, JsonObject } from './json.ts';
import type { RunState, TaskState } from './plan.ts';

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
   * within one attempt. Stays 0 for a mapped task as a whole, a `wait` and what never started.
   */
  readonly attempt: number;
  /** Attempts that failed by their own fault and used up the retry budget. */
  readonly failures: number;
  /** Attempts thrown away because the snapshot they worked from no longer held. */
  readonly conflicts: number;
  /** Null unless it succeeded. That of a mapped task as a whole is not stored: {@link taskOutput} makes it from its instances. */
  readonly output: Json;
  readonly failure: Failure | null;
  /** Why a `waiting` or `up_for_retry` instance is not running, and until when (ms since the epoch). */
  readonly waitingFor: WaitReason | null;
  /** When it first became ready to run, whatever the attempt. */
  readonly scheduledAt: number | null;
  readonly endedAt: number | null;
}

export type WaitReason =
  | { readonly reason: 'retry'; readonly untilMs: number }
  | { readonly reason: 'timer'; readonly untilMs: number }
  | { readonly reason: 'sensor'; readonly untilMs: number }
  | { readonly reason: 'snapshot_conflict'; readonly untilMs: number }
  | { readonly reason: 'no_worker_knows_task'; readonly untilMs: number };

/** What the run's tasks may refer to besides each other. All small JSON. */
export interface RunFacts {
  readonly run: { readonly id: string; readonly type: string };
  readonly interval: { readonly start: string; readonly end: string; readonly logicalDate: string };
  readonly params: JsonObject;
}

/** Everything the interpreter carries from one step to the next; plain JSON. */
export interface RunProgress {
  readonly facts: RunFacts;
  readonly instances: Readonly<Record<InstanceKey, TaskInstance>>;
  readonly cancelRequested: boolean;
  /** Present while nothing new may begin, because the execution is about to continue as new. */
  readonly draining?: true;
  /** Null while the run is open. */
  readonly outcome: RunState | null;
}

/** `at` is milliseconds since the epoch, from the caller's clock. Late events of earlier attempts are ignored. */
export type RunEvent = { readonly at: number } & (
  | { readonly type: 'run_started' }
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
  | { readonly type: 'cancel_requested' }
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
  /** Nothing runs: carry the progress on in a new execution. */
  | { readonly type: 'continue_as_new' }
  | {
      readonly type: 'finish_run';
      readonly outcome: Exclude<RunState, 'running'>;
      readonly failures: readonly InstanceKey[];
    };

export interface Step {
  readonly progress: RunProgress;
  readonly commands: readonly RunCommand[];
  /** Instances whose state changed in this step, for the ledger. */
  readonly changed: readonly TaskInstance[];
}
