import type { JobRun } from '@aws-sdk/client-glue';
import type { CallOptions } from '../../ports/abortable.ts';
import type { ExternalJob, JobState } from '../../ports/jobs.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { JobOrigin, SqlCluster } from '../../ports/sql-cluster.ts';
import type { SqlJob, SqlJobResult } from '../../ports/sql-engine.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { AwsOptions } from '../aws/client-options.ts';
import { glueError } from './errors.ts';
import { jobDocument } from './job-document.ts';
import { workflowArgument } from './job-events.ts';
import { JobFolder } from './job-folder.ts';
import { idArgument, JobRuns } from './job-runs.ts';
import { endOf, isRunning, stateOf } from './run-states.ts';

export interface GlueClusterOptions extends AwsOptions {
  /** Of the job that `ensureGlueJob` makes. */
  readonly jobName: string;
  /** Holds what jobs read and write, and their documents under `jobs/`. */
  readonly objects: ObjectStore;
  /** Spark's form of a select. */
  readonly translate: (sql: string) => string;
  readonly maxFileBytes?: number;
}

/** Glue's own timeout is the safety net for a job nobody stopped: never before ours, at most its maximum of a week. */
const timeoutSlackMinutes = 15;
const longestMinutes = 7 * 24 * 60;

function timeoutMinutes({ timeoutMs }: JobOrigin): number {
  return Math.min(Math.ceil(timeoutMs / 60_000) + timeoutSlackMinutes, longestMinutes);
}

/** Computes on Spark, with runs of one Glue job. Close it to give back its connections. */
export function openGlueCluster(options: GlueClusterOptions): SqlCluster & { close(): Promise<void> } {
  return new GlueCluster(options);
}

class GlueCluster implements SqlCluster {
  readonly name = 'glue';
  readonly #options: GlueClusterOptions;
  readonly #runs: JobRuns;

  constructor(options: GlueClusterOptions) {
    this.#options = options;
    this.#runs = new JobRuns(options.jobName, options);
  }

  async submit(job: SqlJob, origin: JobOrigin, options: CallOptions = {}): Promise<ExternalJob> {
    const folder = this.#folder(job.id);
    const isNew = await folder.create('job.json', jobDocument(job, this.#options));
    const known = isNew ? null : await this.#submitted(job.id, options);
    if (known !== null) return this.#external(known);
    return this.#recorded(job.id, await this.#start(job.id, origin, options));
  }

  /** The run that was started for a job, also by somebody who could not write it down. */
  async #submitted(id: string, options: CallOptions): Promise<string | null> {
    const folder = this.#folder(id);
    const marker = (await folder.read('submitted.json')) as { readonly runId: string } | null;
    if (marker !== null) return marker.runId;
    const since = await folder.storedAt('job.json');
    const found = since === null ? null : await this.#runs.startedFor(id, since, options);
    if (found?.Id === undefined) return null;
    await folder.create('submitted.json', { runId: found.Id });
    return found.Id;
  }

  async #start(id: string, origin: JobOrigin, options: CallOptions): Promise<string> {
    const args = {
      '--job': this.#options.objects.location(this.#folder(id).document),
      [idArgument]: id,
      [workflowArgument]: origin.workflowId,
      '--ingot-run-id': origin.runId,
    };
    try {
      return await this.#runs.start({ args, timeoutMinutes: timeoutMinutes(origin) }, options);
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      const failed = glueError(error, 'StartJobRun', `Glue job ${this.#runs.jobName}`);
      if (failed instanceof TerminalError) throw failed;
      // The run may have been started and only the answer lost.
      const started = await this.#submitted(id, options);
      if (started === null) throw failed;
      return started;
    }
  }

  /** Of two who started a run for one job at once, both go on with the one that was written down first; the runner computes in one of them. */
  async #recorded(id: string, runId: string): Promise<ExternalJob> {
    const folder = this.#folder(id);
    if (await folder.create('submitted.json', { runId })) return this.#external(runId);
    const marker = (await folder.read('submitted.json')) as { readonly runId: string } | null;
    return this.#external(marker?.runId ?? runId);
  }

  async look(job: ExternalJob, options: CallOptions = {}): Promise<JobState> {
    const run = await this.#computing(job, options);
    return run === null ? { state: 'ended', note: 'Glue does not know it any more' } : stateOf(run);
  }

  async stop(job: ExternalJob, options: CallOptions = {}): Promise<void> {
    const run = await this.#computing(job, options);
    if (run !== null && isRunning(run)) await this.#runs.stop(run.Id!, options);
  }

  async collect(job: SqlJob, external: ExternalJob, options: CallOptions = {}): Promise<SqlJobResult> {
    const folder = this.#folder(job.id);
    const run = await this.#computing(external, options);
    if (run?.JobRunState === 'STOPPED' || run?.JobRunState === 'TIMEOUT') {
      const result = (await folder.read('result.json')) as SqlJobResult | null;
      if (result !== null) return result;
      throw endOf(run, `${job.id}, ${external.label}`);
    }
    const result = await folder.outcome(job.id);
    if (result !== null) return result;
    throw endOf(run, `${job.id}, ${external.label}`);
  }

  async close(): Promise<void> {
    this.#runs.close();
  }

  /** The run behind a job: where another run was quicker to claim it, that one. */
  async #computing(job: ExternalJob, options: CallOptions): Promise<JobRun | null> {
    const run = await this.#runs.find(job.id, options);
    const id = run?.Arguments?.[idArgument];
    if (run === null || id === undefined || isRunning(run)) return run;
    const claim = (await this.#folder(id).read('claim.json')) as { readonly runId: string } | null;
    return claim === null || claim.runId === job.id ? run : await this.#runs.find(claim.runId, options);
  }

  #folder(id: string): JobFolder {
    return new JobFolder(this.#options.objects, `jobs/${id}`);
  }

  #external(runId: string): ExternalJob {
    const { jobName, region } = this.#options;
    const label = `Glue job ${jobName}, run ${runId}`;
    if (region === undefined) return { service: this.name, id: runId, label };
    const link = `https://${region}.console.aws.amazon.com/gluestudio/home?region=${region}#/job/${encodeURIComponent(jobName)}/run/${runId}`;
    return { service: this.name, id: runId, label, link };
  }
}
