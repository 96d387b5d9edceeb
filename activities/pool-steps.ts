import { Context, log } from '@temporalio/activity';
import type { PoolLog, PoolReply, PoolRequests, PoolSteps } from '../ports/pools.ts';
import { step } from './run-steps.ts';
import { tellGrants } from './tell-grants.ts';

async function leasePools(ledger: PoolLog, requests: PoolRequests): Promise<PoolReply> {
  const { reply, grants } = await ledger.leasePools(requests);
  try {
    await tellGrants(ledger, Context.current().client, grants);
  } catch (error) {
    // The ledger keeps what nobody was told, and a worker's next look at the pools tells it.
    log.warn('could not tell runs of the slots they were granted', { error: String(error) });
  }
  return reply;
}

/** What runs ask of pools. May be repeated. */
export function createPoolSteps(ledger: PoolLog): PoolSteps {
  return { 'ingot.leasePools': (requests) => step(() => leasePools(ledger, requests)) };
}
