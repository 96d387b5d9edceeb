import {
  BatchStopJobRunCommand,
  GetJobRunCommand,
  GetJobRunsCommand,
  GlueClient,
  type JobRun,
  StartJobRunCommand,
} from '@aws-sdk/client-glue';
import type { CallOptions } from '../../ports/abortable.ts';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { glueError, isNotFound } from './errors.ts';

/** The argument of a run that says which job of ours it computes. */
export const idArgument = '--ingot-id';

const pageSize = 200;
/** Clocks of the services need not agree. */
const clockSlackMs = 5 * 60_000;

/** The SDK asks no more of a signal than the port promises. */
function abortable({ signal }: CallOptions): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal as AbortSignal };
}

export interface StartRun {
  readonly args: Readonly<Record<string, string>>;
  readonly timeoutMinutes: number;
}

/** The runs of one Glue job. */
export class JobRuns {
  readonly jobName: string;
  readonly #glue: GlueClient;
  /** Starts without the SDK's retries: an answer that is lost must not start a second run. */
  readonly #starter: GlueClient;

  constructor(jobName: string, aws: AwsOptions) {
    this.jobName = jobName;
    this.#glue = new GlueClient(clientOptions(aws));
    this.#starter = new GlueClient({ ...clientOptions(aws), maxAttempts: 1 });
  }

  /** Gives the id of the new run. The error is as the SDK throws it. */
  async start({ args, timeoutMinutes }: StartRun, options: CallOptions): Promise<string> {
    const command = new StartJobRunCommand({
      JobName: this.jobName,
      Arguments: { ...args },
      Timeout: timeoutMinutes,
    });
    const { JobRunId } = await this.#starter.send(command, abortable(options));
    return JobRunId!;
  }

  /** Null when Glue does not know it. */
  async find(runId: string, options: CallOptions): Promise<JobRun | null> {
    try {
      const command = new GetJobRunCommand({ JobName: this.jobName, RunId: runId });
      return (await this.#glue.send(command, abortable(options))).JobRun ?? null;
    } catch (error) {
      if (isNotFound(error)) return null;
      throw this.#error(error, 'GetJobRun', options);
    }
  }

  /** The newest run started for a job of ours since an instant, null when there is none. */
  async startedFor(id: string, since: string, options: CallOptions): Promise<JobRun | null> {
    const oldest = Date.parse(since) - clockSlackMs;
    let token: string | undefined;
    do {
      const { JobRuns: runs = [], NextToken } = await this.#page(token, options);
      const found = runs.find((run) => run.Arguments?.[idArgument] === id);
      if (found !== undefined) return found;
      if (runs.some((run) => run.StartedOn !== undefined && run.StartedOn.getTime() < oldest)) return null;
      token = NextToken;
    } while (token !== undefined && token !== '');
    return null;
  }

  async stop(runId: string, options: CallOptions): Promise<void> {
    try {
      const command = new BatchStopJobRunCommand({ JobName: this.jobName, JobRunIds: [runId] });
      await this.#glue.send(command, abortable(options));
    } catch (error) {
      if (!isNotFound(error)) throw this.#error(error, 'BatchStopJobRun', options);
    }
  }

  close(): void {
    this.#glue.destroy();
    this.#starter.destroy();
  }

  async #page(token: string | undefined, options: CallOptions) {
    try {
      const next = token === undefined ? {} : { NextToken: token };
      const command = new GetJobRunsCommand({ JobName: this.jobName, MaxResults: pageSize, ...next });
      return await this.#glue.send(command, abortable(options));
    } catch (error) {
      throw this.#error(error, 'GetJobRuns', options);
    }
  }

  #error(error: unknown, action: string, { signal }: CallOptions): unknown {
    return signal?.aborted === true ? signal.reason : glueError(error, action, `Glue job ${this.jobName}`);
  }
}
