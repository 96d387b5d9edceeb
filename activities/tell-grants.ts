import { WorkflowNotFoundError } from '@temporalio/common';
import type { PoolGrant, PoolLog } from '../ports/pools.ts';

/** Wire format: the signal that tells a run of the slots it got, by lease id. */
const grantedSignal = 'poolGranted';

/** What telling needs of a Temporal client. */
export interface Signaller {
  readonly workflow: {
    getHandle(workflowId: string): { signal(name: string, leaseIds: readonly string[]): Promise<void> };
  };
}

/** Tells executions what they were granted. One that has ended is told nothing: its slots come free when its run is closed. */
export async function tellGrants(
  ledger: PoolLog,
  client: Signaller,
  grants: readonly PoolGrant[],
): Promise<void> {
  for (const [workflowId, some] of Map.groupBy(grants, (grant) => grant.workflowId)) {
    const leaseIds = some.map(({ leaseId }) => leaseId);
    try {
      await client.workflow.getHandle(workflowId).signal(grantedSignal, leaseIds);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
    await ledger.grantsTold(leaseIds);
  }
}
