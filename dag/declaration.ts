import type { AlertSeverity, DeadlineReference } from './alerts.ts';
import type { AssetOption } from './assets.ts';
import type { JsonObject } from './json.ts';
import type { TaskKindName, TriggerRule } from './plan.ts';
import type { Duration } from './duration.ts';
import type { ParamDeclarations } from './params.ts';
import type { Problem } from './problems.ts';

/** The body of a task as a plain function. */
export type TaskFunction<I, O, C> = (input: I, context: C) => O | Promise<O>;

/**
 * A task body that says what it is: `facts` (tables, hashes) go into the plan, so a change of them is a change of
 * the plan. `heartbeatMs` promises that `run` shows life at least that often.
 */
export interface TaskKind<I, O, C> {
  readonly name: string;
  readonly facts: JsonObject;
  readonly summary?: string;
  readonly heartbeatMs?: number;
  /** What the task computes with, for checks before anything runs; no part of the plan. */
  readonly selects?: readonly TaskSelect[];
  readonly run: TaskFunction<I, O, C>;
}

/** A select as it was written, before anything is put around it. */
export interface TaskSelect {
  readonly name: string;
  readonly sql: string;
  /** URL of the file it comes from, and the line there on which it begins; without one it was derived from a contract. */
  readonly file?: { readonly url: string; readonly line: number };
}

export type TaskBody<I, O, C> = TaskFunction<I, O, C> | TaskKind<I, O, C>;

/** What a sensor's body answers to a poke. `value` becomes the sensor's output. */
export interface SensorAnswer<V> {
  readonly done: boolean;
  readonly value?: V;
}

/** Which of a task's own failures are tried again, and when. Left out parts keep their defaults. */
export interface RetryOptions {
  /** Further attempts after the first; 2 unless told. */
  readonly limit?: number;
  /** Wait before the first retry (`'5s'`), times `factor` (2) for each further one, at most `max` (`'5m'`). */
  readonly initial?: Duration;
  readonly initialMs?: number;
  readonly factor?: number;
  readonly max?: Duration;
  readonly maxMs?: number;
  /** First rule whose `errorType` is the failure's type decides, whatever the failure says of itself. */
  readonly rules?: readonly {
    readonly errorType: string;
    readonly action: 'retry' | 'fail';
    readonly delay?: Duration;
  }[];
}

/** `true`, or who is told and what. `{date}` in the message stands for the logical date. */
export type AlertOption =
  | boolean
  | { readonly topic?: string; readonly severity?: AlertSeverity; readonly message?: string };

/** Told when the run, or the task, has not ended by then, whether or not it began. */
export interface DeadlineOption extends Exclude<AlertOption, boolean> {
  readonly after: Duration;
  /** `schedule`, unless told: when a scheduled run was due (its interval's end); any other run counts from when it was created. */
  readonly from?: DeadlineReference;
}

/** Who is told of what, through the configured notifiers: Airflow's callbacks, as data. */
export interface AlertOptions {
  /** Topic of the alerts that name none; the DAG's id unless told. */
  readonly topic?: string;
  readonly onFailure?: AlertOption;
  readonly onSuccess?: AlertOption;
  /** An attempt failed and another one follows. Of a DAG: for every task that does not say otherwise. */
  readonly onRetry?: AlertOption;
  readonly deadline?: DeadlineOption;
}
type AssetName = string | { readonly name: string };

export interface TaskOptions {
  readonly alerts?: AlertOptions;
  readonly triggerRule?: TriggerRule;
  /** Options, or just the limit. */
  readonly retries?: RetryOptions | number;
  /** Longest time one attempt may take; 1 hour unless told. */
  readonly timeout?: Duration;
  /** An attempt not heard of for this long is taken for lost. */
  readonly heartbeat?: Duration;
  readonly summary?: string;
  /** Pool whose slots an attempt holds while it runs. Without one an attempt waits for nobody. */
  readonly pool?: string;
  /** Slots of the pool an attempt takes; 1 unless told. */
  readonly poolSlots?: number;
  /** Of the attempts that wait for the pool the highest comes first, then who asked first; 0 unless told. */
  readonly priority?: number;
  /** Assets that it reads: for people, and `ingot assets`. A task kind's tables need not be told. */
  readonly inlets?: readonly AssetName[];
  /** Plain named assets: the task's success is an event of each. Tables get theirs when they are published. */
  readonly outlets?: readonly AssetName[];
  /**
   * The success of this task makes up for the failure it reacts to: the run does not fail because of it. Only with
   * `one_failed` or `all_failed`. An alert leaves it out, so that a told failure stays a failure.
   */
  readonly handlesFailure?: boolean;
  /** Run attempts only on workers that poll this queue (`ingot worker --queues`); `default` unless told. */
  readonly queue?: string;
}

export interface TeardownOptions extends Omit<TaskOptions, 'triggerRule' | 'handlesFailure'> {
  /** Its failure fails the run; otherwise the run's outcome does not depend on it. */
  readonly onFailureFailRun?: boolean;
}

export interface MapOptions extends TaskOptions {
  /** The longest list it may go over, up to 100,000; 1024 unless told. A longer one fails the task. */
  readonly maxMapLength?: number;
}

export interface SensorOptions extends Omit<TaskOptions, 'timeout'> {
  /** Time between two pokes; 30 seconds unless told. */
  readonly pokeEvery?: Duration;
  /** From the first poke; running out is never retried. */
  readonly timeout: Duration;
  /** Longest time one poke may take; 1 minute unless told. */
  readonly pokeTimeout?: Duration;
  /** Running out skips in place of failing. */
  readonly softFail?: boolean;
}

/** What a person is asked. */
export interface ApprovalQuestion {
  readonly message: string;
  /** How long to wait for the answer; without it, as long as it takes. */
  readonly timeout?: Duration;
  /** What becomes of the task when nobody answers in time; `fail` unless told. */
  readonly onTimeout?: 'fail' | 'skip';
  /** What becomes of it when it is rejected; `fail` unless told. */
  readonly onReject?: 'fail' | 'skip';
}

/** When a DAG runs: `'@daily'`, five cron fields in the DAG's time zone, or a fixed length counted from 1970 in UTC. */
export type TimeOption = string | { readonly every: Duration };
/** By time, or whenever assets have events, or both. */
export type ScheduleOption = TimeOption | { readonly assets: AssetOption; readonly or?: TimeOption };

export interface DagOptions<P extends ParamDeclarations = ParamDeclarations> {
  readonly description?: string;
  readonly schedule?: ScheduleOption;
  /** IANA name; `UTC` unless told. */
  readonly timezone?: string;
  /** Start of the first and of the last interval: `2026-01-01` (midnight in the DAG's zone) or an RFC 3339 instant. */
  readonly startDate?: string;
  readonly endDate?: string;
  /** One run for every interval since `startDate` that has none; without it, only the latest. */
  readonly catchup?: boolean;
  /** Start runs up to this much after their interval's end, at random. */
  readonly jitter?: Duration;
  /** Scheduled and manual runs open at the same time; 16 unless told. */
  readonly maxActiveRuns?: number;
  /** Each task waits until the same task of the previous interval's run succeeded or was skipped. Needs a `startDate`. */
  readonly dependsOnPast?: boolean;
  /** `hold` keeps a run open that would fail, for an operator to clear or mark tasks, or to cancel it; `fail` unless told. */
  readonly onFailure?: 'fail' | 'hold';
  /** Attempts of one run under way at the same time, up to 1000; 500 unless told. */
  readonly maxActiveTasks?: number;
  readonly params?: P;
  readonly tags?: readonly string[];
  readonly owners?: readonly string[];
  readonly alerts?: AlertOptions;
  /** What every task gets unless it says otherwise. */
  readonly defaults?: Pick<TaskOptions, 'retries' | 'timeout' | 'queue' | 'pool' | 'poolSlots' | 'priority'>;
}

/** A task as it was written down, before anything was checked. */
export interface TaskDeclaration<C> {
  readonly id: string;
  readonly kind: TaskKindName;
  readonly body: TaskBody<never, unknown, C> | null;
  readonly input: unknown;
  readonly options: TaskOptions & Partial<SensorOptions> & MapOptions & TeardownOptions;
  readonly role?: 'setup' | 'teardown';
  readonly over: { readonly list: unknown; readonly flatten?: true } | null;
  readonly wait: { readonly for?: Duration; readonly until?: unknown } | null;
  readonly approval: ApprovalQuestion | null;
  readonly choices: readonly string[] | null;
  /** Ids of the groups around it, outermost first. */
  readonly groups: readonly string[];
  /** Further upstream tasks and groups; may name things of another DAG. */
  readonly after: UpstreamDeclaration[];
}

export interface GroupDeclaration {
  readonly id: string;
  readonly groups: readonly string[];
  readonly after: UpstreamDeclaration[];
}

export interface UpstreamDeclaration {
  readonly scope: object | null;
  readonly what: 'task' | 'group' | 'unknown';
  readonly id: string;
}

/** Everything a `dag(...)` call wrote down. */
export interface DagDeclaration<C> {
  readonly id: string;
  readonly options: DagOptions;
  readonly tasks: TaskDeclaration<C>[];
  readonly groups: GroupDeclaration[];
  /** Mistakes noticed while it was written down. */
  readonly misuse: Problem[];
}
