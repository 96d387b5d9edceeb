import type { JsonObject } from '../dag/json.ts';
import type { AssetEvent } from '../ports/assets.ts';
import type { Ledger, Manifest } from '../ports/ledger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SqlEngine } from '../ports/sql-engine.ts';
import type { Warehouse } from '../ports/warehouse.ts';

/** The parts a worker is made of, opened by the composition root. */
export interface Ports {
  readonly objects: ObjectStore;
  readonly sql: SqlEngine;
  readonly ledger: Ledger;
  readonly notifier: Notifier;
  /** Where numbers are watched, if anywhere. */
  readonly metrics?: Metrics;
  /** Opens a named warehouse connection; the secret is resolved here, in the worker, and nowhere else. */
  warehouse(connection: string): Promise<Warehouse>;
}

export interface Logger {
  debug(message: string, fields?: JsonObject): void;
  info(message: string, fields?: JsonObject): void;
  warn(message: string, fields?: JsonObject): void;
  error(message: string, fields?: JsonObject): void;
}

/** What a task body gets beside its input. */
export interface TaskContext {
  readonly dagId: string;
  readonly taskId: string;
  readonly mapIndex: number | null;
  readonly run: { readonly id: string; readonly workflowId: string; readonly type: string };
  /** RFC 3339 UTC instants; `logicalDate` is the interval's start. */
  readonly interval: { readonly start: string; readonly end: string; readonly logicalDate: string };
  readonly params: JsonObject;
  /** The asset events that started the run, exactly those it was given; none for a run that assets did not start. */
  readonly triggeringEvents: () => Promise<readonly AssetEvent[]>;
  readonly attempt: number;
  /** True once this instance lost its snapshot too often: take leases before computing. */
  readonly lease: boolean;
  /** Which code this worker runs. */
  readonly build: string;
  /** Leave alone what is made of the same as when it was published. */
  readonly skipUnchanged: boolean;
  readonly log: Logger;
  /** Aborted when the run is cancelled, the attempt timed out or the worker shuts down. */
  readonly signal: AbortSignal;
  /** Aborted when the attempt is over, however it ended: what it keeps going beside itself stops here. */
  readonly ended: AbortSignal;
  /** Says that the attempt lives; throttled, call it freely. */
  readonly beat: (note?: string) => void;
  readonly ports: Ports;
  /** Key prefix of this attempt's own, fresh at every attempt: `<zone or name>/…/<run>/<task>/<attempt>/`. */
  readonly attemptPrefix: (table: string) => string;
  /** Hands over what was computed. Readers see it only after the interpreter has accepted the attempt and published. At most once per attempt. */
  readonly stage: (manifest: Manifest) => void;
}
