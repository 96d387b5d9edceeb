import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { CallOptions } from '../ports/abortable.ts';
import type { EndedJob } from '../ports/job-steps.ts';
import type { EventHandlers, OutsideEvent } from './outside-events.ts';

/** Tells a run that a job it waits for has ended, so that it looks at once. Wire format. */
const jobEndedSignal = 'ingot.jobEnded';

/** Which workflow waits for a job run; null for a job that is none of ours. */
type OriginOf = (
  run: { readonly jobName: string; readonly jobRunId: string },
  options?: CallOptions,
) => Promise<{ readonly workflowId: string } | null>;

const glueStates = new Set(['SUCCEEDED', 'FAILED', 'TIMEOUT', 'STOPPED', 'ERROR', 'EXPIRED']);

async function tell(client: Client, workflowId: string, job: EndedJob): Promise<boolean> {
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
  if (!glueStates.has(state)) return `dropped: ${state} is no end`;
  const origin = await originOf({ jobName, jobRunId }, options);
  if (origin === null) return `dropped: nobody here waits for ${jobName}/${jobRunId}`;
  const isTold = await tell(client, origin.workflowId, { service: 'glue', id: `${jobName}/${jobRunId}` });
  return isTold
    ? `${origin.workflowId} was told that ${jobName}/${jobRunId} is ${state}`
    : `dropped: ${origin.workflowId}, which waited for ${jobName}/${jobRunId}, has ended`;
}

/** Events of jobs that end. That a run hears twice of one does no harm. */
export function jobEventHandlers(client: Client, glueOrigin: OriginOf): EventHandlers {
  return {
    'aws.glue/Glue Job State Change': (event, options) => glueJobEnded(client, glueOrigin, event, options),
  };
}
