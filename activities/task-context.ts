import type { Json, JsonObject } from '../dag/json.ts';
import type { AssetEvent } from '../ports/assets.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { Ledger, Manifest } from '../ports/ledger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { RawCrawler } from '../ports/raw-crawler.ts';
import type { SqlCluster } from '../ports/sql-cluster.ts';
import type { SqlEngine } from '../ports/sql-engine.ts';
import type { Warehouse } from '../ports/warehouse.ts';

/** Where a model computes: in the worker, on the cluster, or by the size of its inputs. */
export type EnginePreference = 'auto' | 'duckdb' | 'spark';

/** A cluster beside the worker's own engine, and when it is used. */
export interface ClusterUse {
  readonly cluster: SqlCluster;
  /** For models that do not say. */
  readonly preference: EnginePreference;
  /** By `auto`, inputs of at least so many bytes are computed on the cluster. */
  readonly fromBytes: number;
}

/** The parts a worker is made of, opened by the composition root. */
export interface Ports {
  readonly objects: ObjectStore;
  readonly sql: SqlEngine;
  readonly ledger: Ledger;
  readonly notifier: Notifier;
  /** Where numbers are watched, if anywhere. */
  readonly metrics?: Metrics;
  readonly cluster?: ClusterUse;
  readonly crawler?: RawCrawler;
  /** Where readers from outside look tables up; absent where that is the ledger. */
  readonly catalog?: Catalog;
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
  /** What is left of the attempt's time when the body begins. */
  readonly timeoutMs: number;
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
  /**
   * What `make` gave the first time it was asked under this name in this attempt, also by a worker that died since: the attempt's own memory, gone
   * with the next attempt. For what must not be done or decided twice before a job was waited for.
   */
  readonly remember: <T extends Json>(name: string, make: () => Promise<T>) => Promise<T>;
  /** What is remembered under the name, or null. */
  readonly recall: <T extends Json>(name: string) => Promise<T | null>;
  /**
   * Goes on when the job has ended, however it ended. Until then the attempt leaves its worker: this throws what must not be caught, and the
   * body begins again from its start once the job has ended. The job is stopped when the attempt's time is over or the run is cancelled.
   */
  readonly awaitJob: (job: ExternalJob) => Promise<void>;
  /** Key prefix of this attempt's own, fresh at every attempt: `<zone or name>/…/<run>/<task>/<attempt>/`. */
  readonly attemptPrefix: (table: string) => string;
  /** Hands over what was computed. Readers see it only after the interpreter has accepted the attempt and published. At most once per attempt. */
  readonly stage: (manifest: Manifest) => void;
}
