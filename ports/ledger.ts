import type { Json, JsonObject } from '../dag/json.ts';
import type { Plan, RunState, TaskState } from '../dag/plan.ts';
import type { Failure } from '../dag/reducer.ts';
import type { Column, PartitionValues, Table } from '../dag/relation.ts';
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
  readonly workflowId?: string;
  /** Newest first; default 50. */
  readonly limit?: number;
}

/** What happened. Written by the interpreter, read by everything that lists, explains or decides. Every write may be repeated. */
export interface RunLog {
  /** Records the run and its plan; a still open run of the same workflow id with another run id is closed as failed (its execution must have ended unsaid). Throws RunClosedError if this run was already closed. */
  beginRun(run: NewRun): Promise<void>;
  recordAttempts(runId: string, attempts: readonly AttemptRecord[], events?: readonly LedgerEvent[]): Promise<void>;
  /** Closes the run: from here on nothing of it can publish. Closing twice keeps the first outcome. */
  endRun(runId: string, outcome: Exclude<RunState, 'running'>, endedAt: string, failure: RunRecord['failure']): Promise<void>;
  run(runId: string): Promise<RunRecord | null>;
  runs(filter: RunFilter): Promise<readonly RunRecord[]>;
  attempts(runId: string): Promise<readonly AttemptRecord[]>;
  events(filter: { readonly keyPrefix?: string; readonly kind?: string; readonly limit?: number }): Promise<readonly LedgerEvent[]>;
  plan(hash: string): Promise<Plan | null>;
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

/** What a selector stood for at one instant: version per partition text; an absent `values` partition maps to null. */
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
  readonly rules: readonly RuleResult[];
  readonly accounts: readonly Account[];
  /** Quarantined rows by reason, per partition, as the quality summary keeps them. */
  readonly summary: JsonObject;
  readonly watermarks: readonly { readonly name: string; readonly value: Json }[];
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
  readonly verdict: 'pass' | 'warn';
  readonly summary: JsonObject;
  readonly outputs: readonly OutputPartition[];
  readonly inputs: readonly { readonly table: string; readonly partition: string; readonly version: number | null }[];
}

/** What readers see, and how it came to be. */
export interface PartitionLog {
  /** Registers tables of a definition or a crawl; a later registration replaces the columns. */
  registerTables(tables: readonly Table[]): Promise<void>;
  tables(): Promise<readonly (Table & { readonly partitions: number; readonly rows: number; readonly bytes: number; readonly updatedAt: string | null })[]>;
  /** Versions behind all selectors at one instant (one transaction). */
  snapshot(selectors: readonly { readonly selector: PartitionSelector; readonly role: 'input' | 'output' }[]): Promise<{ readonly snapshot: Snapshot; readonly partitions: readonly PartitionVersion[] }>;
  /**
   * One transaction: the run is open and knows no later attempt of the task that published; every part of the snapshot still holds
   * (locks taken in sorted order); a failed `error` rule or an unbalanced account refuses; pointers, history, accounts,
   * rule results and watermarks move together. The same (run, task, map index, attempt) again returns the first publication.
   * Throws SnapshotConflictError, RunClosedError, TerminalError.
   */
  publish(request: PublishRequest): Promise<Publication>;
  /** Current versions of a table, or of the partitions selected. */
  partitions(table: string, where?: Readonly<Record<string, readonly string[]>>): Promise<readonly PartitionVersion[]>;
  /** Newest first. */
  history(filter: { readonly table?: string; readonly partition?: string; readonly runId?: string; readonly limit?: number }): Promise<readonly Publication[]>;
  /** Current accounts and rule results. */
  accounts(scope: string): Promise<readonly (Account & { readonly publicationId: number })[]>;
  ruleResults(filter: { readonly table?: string; readonly partition?: string; readonly publicationId?: number }): Promise<readonly (RuleResult & { readonly publicationId: number })[]>;
  watermark(name: string): Promise<Json>;
  /** Waits its turn for all partitions, in sorted order; kept until released, the run closes, or `holdMs` passes without renewal. */
  lease(runId: string, selectors: readonly PartitionSelector[], holdMs: number): Promise<boolean>;
  releaseLeases(runId: string): Promise<void>;
  /** Files that no pointer, no open run and no interval's latest run refers to, of publications older than `olderThan`; forgets them when `remove` says so after deletion. */
  unreferencedFiles(olderThan: string): Promise<readonly { readonly version: number; readonly key: string; readonly bytes: number }[]>;
  forgetVersions(versions: readonly number[]): Promise<void>;
  /** Every file key some version still refers to, under a prefix: what vacuum must not take for an orphan. */
  referencedKeys(prefix: string): Promise<ReadonlySet<string>>;
}

export interface Ledger extends RunLog, PartitionLog {
  close(): Promise<void>;
}

export type { Column, Table };
