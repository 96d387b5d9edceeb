import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { runWorkflowId, type DataInterval } from '../dag/interval.ts';
import type { RunHandle } from './client.ts';

/** The run of an interval that is under way, or null. */
export async function openRun(
  client: Client,
  dagId: string,
  interval: Pick<DataInterval, 'end'>,
): Promise<RunHandle | null> {
  const workflowId = runWorkflowId(dagId, interval);
  try {
    const { status, raw, runId } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return null;
    return { workflowId, runId: raw.workflowExecutionInfo?.firstRunId || runId };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
