import type { CallOptions } from './abortable.ts';
import type { ExternalJob, JobService } from './jobs.ts';
import type { SqlJob, SqlJobResult } from './sql-engine.ts';

/** Where a job comes from, for the people who find it in the service and for the listener that hears of its end. */
export interface JobOrigin {
  readonly dagId: string;
  readonly taskId: string;
  readonly runId: string;
  readonly workflowId: string;
  /** How long the attempt may take, milliseconds: the service's own timeout must not end it earlier. */
  readonly timeoutMs: number;
}

/**
 * Computes SQL jobs on machines of its own. Where `SqlEngine.run` is one call, here a job is submitted, looked at by whoever, and collected,
 * so that it survives every process of ours. Means the same by a `SqlJob` as every `SqlEngine`.
 */
export interface SqlCluster extends JobService {
  /**
   * Starts the job, or finds the one that was started under `job.id`, also when whoever started it died before it could tell: under one id
   * nothing is computed twice. Throws RetryableError while the service is busy, throttles or has as many jobs as it may.
   */
  submit(job: SqlJob, origin: JobOrigin, options?: CallOptions): Promise<ExternalJob>;
  /**
   * The result of a job that has ended. Throws what `SqlEngine.run` would: TerminalError for SQL that cannot run or data that does not fit,
   * RetryableError for a job that was stopped from outside, timed out, vanished, or that the service failed.
   */
  collect(job: SqlJob, external: ExternalJob, options?: CallOptions): Promise<SqlJobResult>;
}
