import { ChildWorkflowCancellationType, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { alertWorkflowId } from '../dag/alerts.ts';
import type { AlertRequest } from '../ports/alert-steps.ts';

/** Lets an alert begin a life of its own, unless it did before. */
export async function raiseAlert(request: AlertRequest): Promise<void> {
  const { incident, dagId, facts } = request;
  try {
    await startChild('ingot.alert', {
      workflowId: alertWorkflowId(facts.run.id, incident.name),
      args: [request],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `${incident.kind.replaceAll('_', ' ')}: ${incident.task ?? dagId}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
