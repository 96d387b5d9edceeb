import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { JobRunName, JobRunOrigin } from '../engines/glue/job-events.ts';
import type { CallOptions } from '../ports/abortable.ts';
import type { EndedJob } from '../ports/job-steps.ts';
import type { EventHandlers, OutsideEvent } from './outside-events.ts';

/** Tells a run that a job it waits for has ended, so that it looks at once. Wire format. */
const jobEndedSignal = 'ingot.jobEnded';

/** Which workflow waits for a job run; null for a job that is none of ours. */
type OriginOf = (run: JobRunName, options?: CallOptions) => Promise<JobRunOrigin | null>;

const ends = new Set(['SUCCEEDED', 'FAILED', 'TIMEOUT', 'STOPPED', 'ERROR', 'EXPIRED']);

async function tell(client: Client, { workflowId, job }: JobRunOrigin): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).signal<[EndedJob]>(jobEndedSignal, job);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function glueJobEnded(
  client: Client,
  originOf: OriginOf,
  { detail }: OutsideEvent,
  options: CallOptions,
): Promise<string> {
  const { jobName, jobRunId, state } = detail;
  if (typeof jobName !== 'string' || typeof jobRunId !== 'string' || typeof state !== 'string')
    return 'dropped: it names no job run';
  if (!ends.has(state)) return `dropped: ${state} is no end`;
  const run = `${jobName}/${jobRunId}`;
  const origin = await originOf({ jobName, jobRunId }, options);
  if (origin === null) return `dropped: nobody here waits for ${run}`;
  return (await tell(client, origin))
    ? `${origin.workflowId} was told that ${run} is ${state}`
    : `dropped: ${origin.workflowId}, which waited for ${run}, has ended`;
}

/** Events of jobs that end. That a run hears twice of one does no harm. */
export function jobEventHandlers(client: Client, glueOrigin: OriginOf): EventHandlers {
  return {
    'aws.glue/Glue Job State Change': (event, options) => glueJobEnded(client, glueOrigin, event, options),
  };
}
