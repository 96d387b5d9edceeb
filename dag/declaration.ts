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
  readonly run: TaskFunction<I, O, C>;
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

export interface TaskOptions {
  readonly triggerRule?: TriggerRule;
  /** Options, or just the limit. */
  readonly retries?: RetryOptions | number;
  /** Longest time one attempt may take; 1 hour unless told. */
  readonly timeout?: Duration;
  /** An attempt not heard of for this long is taken for lost. */
  readonly heartbeat?: Duration;
  readonly summary?: string;
  /**
   * The success of this task makes up for the failure it reacts to: the run does not fail because of it. Only with
   * `one_failed` or `all_failed`. An alert leaves it out, so that a told failure stays a failure.
   */
  readonly handlesFailure?: boolean;
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

/** When a DAG runs: `'@daily'`, five cron fields in the DAG's time zone, or a fixed length counted from 1970 in UTC. */
export type ScheduleOption = string | { readonly every: Duration };

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
  /** Attempts of one run under way at the same time, up to 1000; 500 unless told. */
  readonly maxActiveTasks?: number;
  readonly params?: P;
  readonly tags?: readonly string[];
  readonly owners?: readonly string[];
  /** What every task gets unless it says otherwise. */
  readonly defaults?: Pick<TaskOptions, 'retries' | 'timeout'>;
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
