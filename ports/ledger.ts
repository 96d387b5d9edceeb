import type { Json, JsonObject } from '../dag/json.ts';
import type { Plan, RunOutcome, RunState, TaskState } from '../dag/plan.ts';
import type { Failure } from '../dag/reducer.ts';
import type { PartitionValues, Table } from '../dag/relation.ts';
import type { AssetLog } from './assets.ts';
import type { BackfillLog } from './backfill.ts';
import type { CatalogLog } from './catalog-log.ts';
import type { PastLog } from './past.ts';
import type { PoolLog } from './pools.ts';
import type { SliceFingerprint, SliceLog } from './slices.ts';
import type { ScheduleLog } from './schedule-log.ts';
import type { ColumnStatistics, WrittenFile } from './sql-engine.ts';

// ---------------------------------------------------------------- runs

export type RunType = 'scheduled' | 'manual' | 'backfill' | 'event';

export interface NewRun {
  /** Temporal's first execution run id: one per start, stable over continue-as-new and retries. */
  readonly runId: string;
  /** `<dag>-<interval end>`; at most one run of it is open. */
  readonly workflowId: string;
  readonly dagId: string;
  readonly type: RunType;
  readonly logicalDate: string;
  readonly intervalStart: string;
  readonly intervalEnd: string;
  readonly params: JsonObject;
  readonly plan: Plan;
  readonly planHash: string;
  /** Build of the worker that began the run. */
  readonly build: string;
  readonly startedAt: string;
}

export interface RunRecord {
  readonly runId: string;
  readonly workflowId: string;
  readonly dagId: string;
  readonly type: RunType;
  readonly state: RunState;
  /** Open, and waiting for its turn under the DAG's `maxActiveRuns`. */
  readonly queued: boolean;
  /** Open, but every task has ended and some failed: it waits for an operator. */
  readonly held: boolean;
  readonly logicalDate: string;
  readonly intervalStart: string;
  readonly intervalEnd: string;
  readonly params: JsonObject;
  readonly planHash: string;
  readonly build: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** First failure, when the run failed. */
  readonly failure: (Failure & { readonly task: string }) | null;
}

export interface AttemptRecord {
  readonly taskId: string;
  /** -1 for a task that is not mapped. */
  readonly mapIndex: number;
  readonly attempt: number;
  readonly state: TaskState;
  readonly scheduledAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly worker: string | null;
  readonly failure: Failure | null;
  readonly output: Json;
}

/** A fact worth remembering once: `key` is unique for ever, a second insert of it is ignored. */
export interface LedgerEvent {
  readonly key: string;
  readonly kind: string;
  readonly at: string;
  readonly payload: JsonObject;
}

export interface RunFilter {
  readonly dagId?: string;
  readonly state?: RunState;
  readonly held?: boolean;
  readonly workflowId?: string;
  /** Open runs that wait for their turn, or that do not. */
  readonly queued?: boolean;
  /** Newest first; default 50. */
  readonly limit?: number;
}

/** What happened. Written by the interpreter, read by everything that lists, explains or decides. Every write may be repeated. */
export interface RunLog {
  /**
   * Records the run and its plan, queued until `admitRun` gives it its turn, unless it is a backfill's; a still open run of the same workflow id that started no later is closed as failed (its execution must
   * have ended unsaid), with an event `run_replaced`. Answers the hash of the plan the run has: that of whoever began it first. Throws RunClosedError if this run was already closed or one that started later is known.
   */
  beginRun(run: NewRun): Promise<string>;
  /** Adds attempts and events, also to a closed run. An attempt never leaves success, failed, skipped or upstream_failed, nor goes back from running to scheduled; times and worker once known are kept. */
  recordAttempts(
    runId: string,
    attempts: readonly AttemptRecord[],
    events?: readonly LedgerEvent[],
  ): Promise<void>;
  /**
   * Closes the run and ends its leases: from here on nothing of it can publish. Closing twice keeps the first outcome, which is
   * what it answers. Throws TerminalError for a run never begun.
   */
  endRun(
    runId: string,
    outcome: RunOutcome,
    endedAt: string,
    failure: RunRecord['failure'],
  ): Promise<RunOutcome>;
  /** Says that an open run is held, which ends its leases, or goes on. Of a closed run it says nothing. */
  holdRun(runId: string, held: boolean): Promise<void>;
  run(runId: string): Promise<RunRecord | null>;
  runs(filter: RunFilter): Promise<readonly RunRecord[]>;
  /** In the order they were scheduled. */
  attempts(runId: string): Promise<readonly AttemptRecord[]>;
  /** Newest first; default 50. */
  events(filter: {
    readonly keyPrefix?: string;
    readonly kind?: string;
    readonly limit?: number;
  }): Promise<readonly LedgerEvent[]>;
  plan(hash: string): Promise<Plan | null>;
  /**
   * Keeps one part of an open run's progress, numbered from 0, for the execution that continues it. Parking a part again
   * replaces it; revisions before the last but one are forgotten, and all of them when the run ends.
   */
  parkProgress(part: ParkedPart, content: string): Promise<void>;
  parkedProgress(part: ParkedPart): Promise<string | null>;
}

export interface ParkedPart {
  readonly runId: string;
  readonly revision: number;
  readonly part: number;
}

// ---------------------------------------------------------------- partitions

/**
 * Partitions a task reads or writes. With `values`, one partition, which may be absent. With `where`, every
 * published partition whose columns have one of the listed values; it matches new ones as well, so a
 * partition that appears later is a conflict too. `where: {}` is the whole table.
 */
export type PartitionSelector =
  | { readonly table: string; readonly values: PartitionValues }
  | { readonly table: string; readonly where: Readonly<Record<string, readonly string[]>> };

export interface PartitionVersion {
  readonly table: string;
  readonly partition: PartitionValues;
  /** `partitionText` of the values. */
  readonly partitionText: string;
  /** Grows with every publication; unique over the ledger. */
  readonly version: number;
  readonly publicationId: number;
  readonly files: readonly WrittenFile[];
  readonly rows: number;
  readonly bytes: number;
}

/** What a selector stood for at one instant: version per partition text; an absent `values` partition maps to null. A removed partition is absent. */
export interface SnapshotPart {
  readonly selector: PartitionSelector;
  readonly role: 'input' | 'output';
  readonly versions: Readonly<Record<string, number | null>>;
}

export interface Snapshot {
  readonly parts: readonly SnapshotPart[];
}

export interface OutputPartition {
  readonly table: string;
  readonly partition: PartitionValues;
  readonly files: readonly WrittenFile[];
  readonly rows: number;
  readonly bytes: number;
  readonly columns: Readonly<Record<string, ColumnStatistics>>;
  /** True takes the partition away from readers; files is then empty. */
  readonly removed: boolean;
}

export interface RuleResult {
  readonly table: string;
  readonly partition: string;
  readonly rule: string;
  readonly severity: 'error' | 'warn';
  readonly outcome: 'pass' | 'warn' | 'fail';
  readonly checked: number;
  readonly failed: number;
  readonly details: JsonObject;
}

/** `read = sum(parts)`, checked when it is published; state per scope and partition, replaced by every publication. */
export interface Account {
  readonly scope: string;
  readonly partition: string;
  readonly read: number;
  readonly parts: Readonly<Record<string, number>>;
}

/** What an attempt computed and would like readers to see. */
export interface Manifest {
  readonly snapshot: Snapshot;
  readonly outputs: readonly OutputPartition[];
  readonly sqlHash: string | null;
  readonly contractHash: string | null;
  readonly engine: string | null;
  /** Why that engine: asked for, or chosen by the size of the inputs. */
  readonly engineReason?: string;
  readonly rules: readonly RuleResult[];
  readonly accounts: readonly Account[];
  /** Quarantined rows by reason, per partition, as the quality summary keeps them. */
  readonly summary: JsonObject;
  readonly watermarks: readonly { readonly name: string; readonly value: Json }[];
  /** What each part of the outputs was made of: replaces what was known of these slices of the task. */
  readonly slices?: readonly SliceFingerprint[];
}

export interface PublishRequest {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly attempt: number;
  readonly build: string;
  readonly manifest: Manifest;
  readonly publishedAt: string;
}

export interface Publication {
  readonly id: number;
  readonly runId: string;
  readonly workflowId: string;
  readonly dagId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly attempt: number;
  readonly publishedAt: string;
  readonly planHash: string;
  readonly build: string;
  readonly sqlHash: string | null;
  readonly contractHash: string | null;
  readonly engine: string | null;
  readonly engineReason: string | null;
  readonly verdict: 'pass' | 'warn';
  readonly summary: JsonObject;
  readonly outputs: readonly OutputPartition[];
  readonly inputs: readonly {
    readonly table: string;
    readonly partition: string;
    readonly version: number | null;
  }[];
}

/** What readers see, and how it came to be. */
export interface PartitionLog {
  /** Registers tables of a definition or a crawl; a later registration replaces the columns. Throws TerminalError when a table that was published is given other partition columns. */
  registerTables(tables: readonly Table[]): Promise<void>;
  tables(): Promise<
    readonly (Table & {
      readonly partitions: number;
      readonly rows: number;
      readonly bytes: number;
      readonly updatedAt: string | null;
    })[]
  >;
  /** Versions behind all selectors at one instant. Throws TerminalError for a table nobody registered and for columns it is not partitioned by. */
  snapshot(
    selectors: readonly { readonly selector: PartitionSelector; readonly role: 'input' | 'output' }[],
  ): Promise<{ readonly snapshot: Snapshot; readonly partitions: readonly PartitionVersion[] }>;
  /**
   * One transaction: the run is open and knows no later attempt of the task that published; every part of the snapshot still holds
   * (locks taken in sorted order); every output is covered by an output of the snapshot; a failed `error` rule or an unbalanced
   * account refuses and is kept as an event `publish_refused`; pointers, history, accounts, rule results and watermarks move
   * together, with an event `publish:<id>`. The same (run, task, map index, attempt) again returns the first publication.
   * An output that another open run has leased is a conflict too, so that who took a lease publishes next; the run's own leases
   * on the outputs end with the publication.
   * Throws SnapshotConflictError, RunClosedError, TerminalError; after a RetryableError the same call may be repeated.
   */
  publish(request: PublishRequest): Promise<Publication>;
  /** Current versions of a table, or of the partitions selected. */
  partitions(
    table: string,
    where?: Readonly<Record<string, readonly string[]>>,
  ): Promise<readonly PartitionVersion[]>;
  /** Newest first. */
  history(filter: {
    readonly table?: string;
    readonly partition?: string;
    readonly runId?: string;
    readonly limit?: number;
  }): Promise<readonly Publication[]>;
  accounts(scope: string): Promise<readonly (Account & { readonly publicationId: number })[]>;
  /** Of one publication, or else what each task said last of each partition. */
  ruleResults(filter: {
    readonly table?: string;
    readonly partition?: string;
    readonly publicationId?: number;
  }): Promise<readonly (RuleResult & { readonly publicationId: number })[]>;
  /** Null when it was never published. */
  watermark(name: string): Promise<Json>;
  /**
   * Takes all partitions, inputs as well as outputs, for this run or none: true when they are held, for `holdMs` or until it publishes one of
   * them, releases them or closes; false while others hold or wait longer for one of them: ask again, at least every 30 seconds to keep the place in the queue.
   * The same selectors again renew. Throws RunClosedError.
   */
  lease(runId: string, selectors: readonly PartitionSelector[], holdMs: number): Promise<boolean>;
  releaseLeases(runId: string): Promise<void>;
  /**
   * Files nobody can need any more: of versions superseded before `olderThan` and before every open run began, neither written nor read by an
   * interval's latest run that did not succeed (it may be resumed), and not shared with a version that stays.
   */
  unreferencedFiles(
    olderThan: string,
  ): Promise<readonly { readonly version: number; readonly key: string; readonly bytes: number }[]>;
  /** Strikes the files of superseded versions, after they were removed from the store; history keeps the rest. */
  forgetVersions(versions: readonly number[]): Promise<void>;
  /** Every file key some version still refers to, under a prefix: what vacuum must not take for an orphan. */
  referencedKeys(prefix: string): Promise<ReadonlySet<string>>;
}

export interface Ledger
  extends RunLog, PartitionLog, SliceLog, AssetLog, ScheduleLog, BackfillLog, PoolLog, PastLog, CatalogLog {
  close(): Promise<void>;
}
