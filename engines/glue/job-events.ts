import { GetJobRunCommand, GlueClient } from '@aws-sdk/client-glue';
import type { CallOptions } from '../../ports/abortable.ts';
import type { EndedJob } from '../../ports/job-steps.ts';
import { sendOptions } from '../aws/abort-signal.ts';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { glueError, isNotFound } from './errors.ts';

/** What a `Glue Job State Change` event names. */
export interface JobRunName {
  readonly jobName: string;
  readonly jobRunId: string;
}

/** Who waits for a job run, and the name it has there. */
export interface JobRunOrigin {
  readonly workflowId: string;
  readonly job: EndedJob;
}

/** Argument of every job run that Ingot starts: the workflow that waits for its end. */
export const workflowArgument = '--ingot-workflow-id';

/** Who started a job run; null for one that Ingot did not start, and for one that Glue does not know any more. */
export function glueJobOrigin(
  options: AwsOptions,
): (run: JobRunName, call?: CallOptions) => Promise<JobRunOrigin | null> {
  const client = new GlueClient(clientOptions(options));
  return async ({ jobName, jobRunId }, call) => {
    try {
      const { JobRun } = await client.send(
        new GetJobRunCommand({ JobName: jobName, RunId: jobRunId }),
        sendOptions(call),
      );
      const workflowId = JobRun?.Arguments?.[workflowArgument];
      if (workflowId === undefined || workflowId === '') return null;
      return { workflowId, job: { service: 'glue', id: jobRunId } };
    } catch (error) {
      if (isNotFound(error)) return null;
      throw glueError(error, 'GetJobRun', `${jobName}/${jobRunId}`);
    }
  };
}
