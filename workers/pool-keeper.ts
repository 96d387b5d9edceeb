import type { Client } from '@temporalio/client';
import { tellGrants } from '../activities/tell-grants.ts';
import type { Ledger } from '../ports/ledger.ts';
import { reconcileRuns, type ReconciledRun } from './reconciler.ts';
import type { TellFailure } from './run-alerts.ts';

/**
 * A look at every pool that somebody waits for: runs in it whose execution has ended without saying so are closed, which
 * frees their slots; who is next gets them; and who was not told of a grant is told. Answers the runs it closed. May be
 * called at any time and by several workers.
 */
export async function keepPools(parts: {
  readonly ledger: Ledger;
  readonly client: Client;
  /** Raises the alerts of the runs it closes. */
  readonly tell?: TellFailure;
}): Promise<readonly ReconciledRun[]> {
  const { ledger, client } = parts;
  const runIds = await ledger.runsInPools();
  const closed = runIds.length === 0 ? [] : await reconcileRuns({ ...parts, only: runIds });
  await tellGrants(ledger, client, await ledger.servePools());
  return closed;
}
