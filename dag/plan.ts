/**
 * Terminology, used alike in code, SQL, CLI, console and docs:
 *
 * - **DAG**: a named graph of tasks declared in TypeScript. **Plan**: the DAG compiled to data.
 * - **Task**: one node. **Task instance**: a task within one run; a mapped task has many.
 * - **Run**: one execution of a DAG for one data interval. **Attempt**: one try at a task instance.
 * - **Logical date**: the start of the **data interval** `[start, end)` a run covers, in UTC.
 * - **Zone**: a layer of the lake (raw, bronze, silver, gold, audit). **Table**: a named relation in a
 *   zone. **Partition**: a slice of a table that is published as a whole.
 * - **Contract**: the declared shape of a table. **Rule**: a check declared in it.
 *   **Quarantine**: where rows go that break a rule, with every reason.
 * - **Publish**: make a new version of partitions visible to readers, all at once.
 * - **Watermark**: how far a source has been read.
 */
import type { AlertPlan } from './alerts.ts';
import type { AssetCondition } from './assets.ts';
import type { Json, JsonObject } from './json.ts';
import { canonicalJson } from './json.ts';
import type { Schedule } from './schedule.ts';

/** The longest list a task may be mapped over unless it says otherwise; a longer one fails the task. */
export const defaultMapLength = 1024;
/** The most it can say. */
export const maxMapLength = 100_000;

/** Attempts of one run under way at the same time, unless the DAG says otherwise, and the most it can say. */
export const defaultActiveTasks = 500;
export const maxActiveTasks = 1000;

/** Airflow's names and meanings. `all_success` is the default. */
export const triggerRules = [
  'all_success',
  'all_failed',
  'all_done',
  'all_done_min_one_success',
  'all_skipped',
  'one_failed',
  'one_success',
  'one_done',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'always',
] as const;
export type TriggerRule = (typeof triggerRules)[number];

export type TaskState =
  | 'none'
  | 'scheduled'
  | 'running'
  | 'success'
  | 'failed'
  | 'skipped'
  | 'upstream_failed'
  | 'up_for_retry'
  | 'waiting';

export type RunState = 'running' | 'success' | 'failed' | 'cancelled';
export type RunOutcome = Exclude<RunState, 'running'>;

/**
 * - `task`: runs its body once per attempt.
 * - `branch`: its output names the direct downstream tasks to follow; the others are skipped.
 * - `short_circuit`: a falsy output skips everything downstream.
 * - `sensor`: its body is poked until it answers `{ done: true }`; no worker slot is held between pokes.
 * - `wait`: a durable timer, no body.
 * - `approval`: waits until a person approves or rejects it, no body.
 */
export type TaskKindName = 'task' | 'branch' | 'short_circuit' | 'sensor' | 'wait' | 'approval';

/**
 * A JSON value in which `{ "$ref": source, "path": [...] }` stands for a value known only in the run.
 * Sources: `task:<id>` (a task's output; for a mapped task the list of its outputs), `interval`,
 * `params`, `item` (the element a mapped instance works on), `run`. An object of the user's own
 * that has a `$ref` key is refused by validation.
 */
export type ArgumentExpression = Json;

/** Which of a task's own failures are tried again; first rule whose `errorType` matches decides. */
export interface RetryRule {
  readonly errorType: string;
  readonly action: 'retry' | 'fail';
  readonly delayMs: number | null;
}

/** The business budget: at most `limit` further attempts, waiting `initialMs * factor^(n-1)`, capped. */
export interface RetryPlan {
  readonly limit: number;
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly rules: readonly RetryRule[];
}

export interface SensorPlan {
  readonly pokeMs: number;
  /** From the first poke; running out is never retried. */
  readonly timeoutMs: number;
  /** Running out skips the task in place of failing it. */
  readonly softFail: boolean;
}

/** Either a length of time after the task became ready or an instant (RFC 3339). */
export type WaitPlan = { readonly forMs: number } | { readonly until: ArgumentExpression };

/** Slots of a pool an attempt holds while it runs; of those who wait, the highest `priority` comes first. */
export interface PoolPlan {
  readonly name: string;
  readonly slots: number;
  readonly priority: number;
}

/** What a person is asked, and what becomes of the task when they refuse or do not answer in time. */
export interface ApprovalPlan {
  readonly message: string;
  /** From when it began to wait; null waits for as long as it takes. */
  readonly timeoutMs: number | null;
  readonly onTimeout: 'fail' | 'skip';
  readonly onReject: 'fail' | 'skip';
}

export interface PlanTask {
  readonly id: string;
  readonly kind: TaskKindName;
  /** Direct upstream task ids, sorted. */
  readonly upstream: readonly string[];
  readonly triggerRule: TriggerRule;
  readonly input: ArgumentExpression;
  /** The list whose elements each get an instance of this task, or null for a single instance. */
  readonly mapOver: ArgumentExpression | null;
  /** Each element of the list is a list itself, and its elements are what the task is mapped over. */
  readonly flatten?: true;
  /** The longest list it may be mapped over, where that is not {@link defaultMapLength}. */
  readonly maxMapLength?: number;
  readonly retries: RetryPlan;
  /** Longest time one attempt may take. */
  readonly timeoutMs: number;
  /** An attempt not heard of for this long is taken for lost; null when the body does not heartbeat. */
  readonly heartbeatMs: number | null;
  readonly sensor: SensorPlan | null;
  readonly wait: WaitPlan | null;
  /** Absent when an attempt needs no slots of any pool. */
  readonly pool?: PoolPlan;
  /** Only of an `approval`. */
  readonly approval?: ApprovalPlan;
  /**
   * - `setup`: the tasks between it and its teardowns (or all below it, when it has none) run only if it succeeded,
   *   whatever their rules.
   * - `teardown`: runs when a setup directly upstream succeeded and everything directly upstream has ended (Airflow's
   *   `all_done_setup_success`; its rule here is `all_done`), also in a run that is cancelled. No branch or short circuit skips it.
   */
  readonly role?: 'setup' | 'teardown';
  /** Of a teardown: its failure fails the run. Otherwise the run's outcome does not depend on it. */
  readonly onFailureFailRun?: true;
  /** Its success makes up for the failure it reacts to; only with `one_failed` and `all_failed`. */
  readonly handlesFailure?: true;
  /** Workers that poll this queue run its attempts; absent for the default queue. */
  readonly queue?: string;
  readonly alerts?: AlertPlan;
  /** Assets that it reads and that its success is an event of, besides the tables it publishes; sorted. */
  readonly inlets?: readonly string[];
  readonly outlets?: readonly string[];
  /** One line for the Temporal UI and `runs show`. */
  readonly summary: string | null;
  /** What the task's kind says of itself: its name, tables read and written, hashes of SQL and contract. */
  readonly facts: JsonObject;
}

export interface ParamPlan {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'json';
  readonly default: Json;
  readonly required: boolean;
  readonly allowed: readonly Json[] | null;
  readonly description: string | null;
}

/** A compiled DAG: canonical, serialisable, without SQL text or clocks. Its hash identifies it. */
export interface Plan {
  readonly format: 1;
  readonly dagId: string;
  readonly description: string | null;
  readonly schedule: Schedule | null;
  readonly timezone: string;
  /** First interval's start and last interval's start, RFC 3339 UTC instants, or null. */
  readonly startAt: string | null;
  readonly endAt: string | null;
  readonly catchup: boolean;
  /** Besides the schedule, runs start when assets have events. */
  readonly assets?: AssetCondition;
  /** Ticks come up to this much later, at random, so that many DAGs of one schedule do not start at once. */
  readonly jitterMs?: number;
  readonly maxActiveRuns: number;
  /** A task waits until the same task of the previous interval's run succeeded or was skipped. */
  readonly dependsOnPast?: true;
  readonly alerts?: AlertPlan;
  /** A run that would fail stays open as held, until an operator clears or marks tasks, or cancels it. */
  readonly onFailure?: 'hold';
  /** Attempts of one run under way at the same time, where that is not {@link defaultActiveTasks}. */
  readonly maxActiveTasks?: number;
  readonly params: Readonly<Record<string, ParamPlan>>;
  readonly tags: readonly string[];
  readonly owners: readonly string[];
  /** Sorted by id. */
  readonly tasks: readonly PlanTask[];
}

/** The identity of a plan: `sha256` (text to hexadecimal digest) of its canonical JSON. */
export function planHash(plan: Plan, sha256: (text: string) => string): string {
  return sha256(canonicalJson(plan as unknown as Json));
}
