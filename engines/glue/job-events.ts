import { GetJobRunCommand, GlueClient } from '@aws-sdk/client-glue';
import type { CallOptions } from '../../ports/abortable.ts';
import { sendOptions } from '../aws/abort-signal.ts';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { glueError, isNotFound } from './errors.ts';

/** What a `Glue Job State Change` event names. */
export interface JobRunName {
  readonly jobName: string;
  readonly jobRunId: string;
}

export type OriginOf = (
  run: JobRunName,
  options?: CallOptions,
) => Promise<{ readonly workflowId: string } | null>;

/** Argument of every job run that Ingot starts: the workflow that waits for its end. */
export const workflowArgument = '--ingot-workflow-id';

/** Who started a job run; null for one that Ingot did not start, and for one that Glue does not know any more. */
export function glueJobOrigin(options: AwsOptions): OriginOf {
  const client = new GlueClient(clientOptions(options));
  return async ({ jobName, jobRunId }, call) => {
    try {
      const { JobRun } = await client.send(
        new GetJobRunCommand({ JobName: jobName, RunId: jobRunId }),
        sendOptions(call),
      );
      const workflowId = JobRun?.Arguments?.[workflowArgument];
      return workflowId === undefined || workflowId === '' ? null : { workflowId };
    } catch (error) {
      if (isNotFound(error)) return null;
      throw glueError(error, 'GetJobRun', `${jobName}/${jobRunId}`);
    }
  };
}
