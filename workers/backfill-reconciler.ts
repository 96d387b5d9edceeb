import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { BackfillOutcome } from '../dag/backfill-reducer.ts';
import type { BackfillRecord } from '../ports/backfill.ts';
import type { Ledger } from '../ports/ledger.ts';

interface Ending {
  readonly outcome: BackfillOutcome;
  /** What Temporal says of the execution: its status in lower case, or `not found`. */
  readonly execution: string;
  readonly endedAt: string;
}

export interface ReconciledBackfill extends Pick<Ending, 'outcome' | 'execution'> {
  readonly backfill: BackfillRecord;
}

/** How the newest execution of the backfill ended; null while it goes on. */
async function endingOf(
  client: Client,
  { workflowId, backfillId }: BackfillRecord,
  now: () => number,
): Promise<Ending | null> {
  const newest = client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: backfillId });
  try {
    const described = await newest.describe();
    // Another backfill of the range has begun since.
    const own = described.raw.workflowExecutionInfo?.firstRunId === backfillId;
    const { status, closeTime } = own
      ? described
      : await client.workflow.getHandle(workflowId, backfillId).describe();
    if (closeTime === undefined) return null;
    const outcome =
      status.name === 'COMPLETED' ? 'success' : status.name === 'CANCELLED' ? 'cancelled' : 'failed';
    return {
      outcome,
      execution: status.name.toLowerCase().replaceAll('_', ' '),
      endedAt: closeTime.toISOString(),
    };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return { outcome: 'failed', execution: 'not found', endedAt: new Date(now()).toISOString() };
  }
}

async function reconcile(
  ledger: Ledger,
  client: Client,
  backfill: BackfillRecord,
  now: () => number,
): Promise<ReconciledBackfill | null> {
  const ending = await endingOf(client, backfill, now);
  if (ending === null) return null;
  const { backfillId } = backfill;
  // The execution may have told the ledger between the listing and now.
  if ((await ledger.backfill(backfillId))?.endedAt !== null) return null;
  const reason = `the backfill ended (${ending.execution}) without saying so`;
  const state = ending.outcome === 'cancelled' ? 'cancelled' : 'failed';
  await ledger.endBackfill(backfillId, ending.outcome, ending.endedAt, { state, reason });
  return { backfill, outcome: ending.outcome, execution: ending.execution };
}

/**
 * Closes the ledger's open backfills whose execution is closed or gone: terminated by hand, or forgotten. Their runs are
 * cancelled by Temporal, and say so themselves. May be called at any time and by several workers.
 */
export async function reconcileBackfills({
  ledger,
  client,
  now = Date.now,
}: {
  readonly ledger: Ledger;
  readonly client: Client;
  readonly now?: () => number;
}): Promise<readonly ReconciledBackfill[]> {
  const found: ReconciledBackfill[] = [];
  for (const backfill of await ledger.backfills({ open: true, limit: 1000 })) {
    const closed = await reconcile(ledger, client, backfill, now);
    if (closed !== null) found.push(closed);
  }
  return found;
}
