import { nextGrants, poolRefusal, type PoolHolder, type PoolRequest } from '../../dag/pools.ts';
import { RunClosedError } from '../../ports/errors.ts';
import type { PoolAsk, PoolGrant, PoolReply, PoolRequests } from '../../ports/pools.ts';
import { takeLocks } from './advisory-locks.ts';
import type { Query } from './database.ts';
import { jsonText } from './json-text.ts';

/** Holders that are named to those who wait. */
const named = 5;

const isHeld = 'granted_at is not null and released_at is null';
const isWaiting = 'granted_at is null and released_at is null';

async function poolSize(query: Query, pool: string): Promise<number | null> {
  const rows = await query<{ slots: number }>('select slots from ingot.pools where name = $1', [pool]);
  return rows[0]?.slots ?? null;
}

async function heldSlots(query: Query, pool: string): Promise<number> {
  const rows = await query<{ held: number }>(
    `select coalesce(sum(slots), 0)::integer as held from ingot.pool_leases where pool = $1 and ${isHeld}`,
    [pool],
  );
  return rows[0]!.held;
}

/** All that a pool's requests and releases do happens under this lock. */
export function lockPool(query: Query, pool: string): Promise<void> {
  return takeLocks(query, [{ name: `pool:${pool}`, mode: 'exclusive' }]);
}

/** Grants what may be granted now, in order, and answers it. */
export async function servePool(query: Query, pool: string): Promise<PoolGrant[]> {
  const size = await poolSize(query, pool);
  if (size === null) return [];
  const held = await heldSlots(query, pool);
  if (held >= size) return [];
  // Each takes a slot at least: no more than these can be granted.
  const waiting = await query<PoolRequest & PoolGrant>(
    `select lease_id as "leaseId", workflow_id as "workflowId", slots, priority, ticket from ingot.pool_leases
      where pool = $1 and ${isWaiting} and slots <= $2 order by priority desc, ticket limit $3`,
    [pool, size, size - held],
  );
  const grants = nextGrants(size, held, waiting);
  if (grants.length > 0)
    await query('update ingot.pool_leases set granted_at = clock_timestamp() where lease_id = any($1)', [
      grants.map(({ leaseId }) => leaseId),
    ]);
  return grants.map(({ leaseId, workflowId }) => ({ leaseId, workflowId }));
}

/** A release that comes before its request, which a hanging worker may still send, is kept as well. */
async function release(query: Query, requests: PoolRequests, pool: string): Promise<void> {
  const ids = requests.releases.filter((each) => each.pool === pool).map(({ leaseId }) => leaseId);
  if (ids.length === 0) return;
  await query(
    `insert into ingot.pool_leases as known (lease_id, pool, run_id, workflow_id, task, slots, priority, released_at)
     select id, $2, run_id, $4, '', 0, 0, clock_timestamp() from unnest($1::text[]) as released (id), ingot.runs
      where run_id = $3 and state = 'running'
     on conflict (lease_id) do update set released_at = coalesce(known.released_at, excluded.released_at)`,
    [ids, pool, requests.runId, requests.workflowId],
  );
}

async function enqueue(
  query: Query,
  { runId, workflowId }: PoolRequests,
  asks: readonly PoolAsk[],
): Promise<void> {
  if (asks.length === 0) return;
  const runs = await query<{ state: string }>('select state from ingot.runs where run_id = $1 for share', [
    runId,
  ]);
  const state = runs[0]?.state;
  if (state !== 'running')
    throw new RunClosedError({
      place: `run ${runId}`,
      expected: 'an open run',
      found: state === undefined ? 'a run the ledger does not know' : `a run closed as ${state}`,
      remedy: 'A closed run takes no slots of a pool; start a new run of the interval.',
    });
  await query(
    `insert into ingot.pool_leases (lease_id, pool, run_id, workflow_id, task, slots, priority)
     select v->>'leaseId', v->>'pool', $2, $3, v->>'task', (v->>'slots')::integer, (v->>'priority')::integer
       from jsonb_array_elements($1::jsonb) with ordinality as asked (v, n) order by n
     on conflict (lease_id) do nothing`,
    [jsonText(asks), runId, workflowId],
  );
}

type Leases = Record<string, PoolReply['leases'][string]>;

/** How the asked stand: granted, or how many come before. Who is told here needs no other word. */
async function standings(query: Query, pool: string, asks: readonly PoolAsk[]): Promise<Leases> {
  const ids = asks.map(({ leaseId }) => leaseId);
  await query(
    'update ingot.pool_leases set told_at = clock_timestamp() where lease_id = any($1) and granted_at is not null and told_at is null',
    [ids],
  );
  const rows = await query<{ leaseId: string; granted: boolean; ahead: number }>(
    `select lease_id as "leaseId", true as granted, 0 as ahead from ingot.pool_leases
      where lease_id = any($2) and granted_at is not null
     union all
     select * from (
       select lease_id, false, (row_number() over (order by priority desc, ticket))::integer - 1
         from ingot.pool_leases where pool = $1 and ${isWaiting}) as queue
      where lease_id = any($2)`,
    [pool, ids],
  );
  return Object.fromEntries(
    rows.map(({ leaseId, granted, ahead }) => [
      leaseId,
      granted ? { state: 'granted' } : { state: 'waits', ahead },
    ]),
  );
}

async function poolState(query: Query, pool: string): Promise<PoolReply['pools'][string]> {
  const heldBy = await query<PoolHolder>(
    `select r.workflow_id as run, l.task, l.slots from ingot.pool_leases l join ingot.runs r using (run_id)
      where l.pool = $1 and ${isHeld} order by l.granted_at, l.ticket limit ${named}`,
    [pool],
  );
  return { size: await poolSize(query, pool), held: await heldSlots(query, pool), heldBy };
}

/** Releases and requests of one run in one pool: its lock must be held. */
export async function leaseIn(
  query: Query,
  requests: PoolRequests,
  pool: string,
): Promise<{ readonly reply: PoolReply; readonly grants: readonly PoolGrant[] }> {
  await release(query, requests, pool);
  const size = await poolSize(query, pool);
  const refused: Leases = {};
  const asks: PoolAsk[] = [];
  const known = await knownLeases(query, requests);
  for (const ask of requests.asks.filter((each) => each.pool === pool)) {
    const failure = size === null || known.has(ask.leaseId) ? null : poolRefusal(pool, size, ask.slots);
    if (failure === null) asks.push(ask);
    else refused[ask.leaseId] = { state: 'refused', failure };
  }
  await enqueue(query, requests, asks);
  const granted = await servePool(query, pool);
  const leases = { ...refused, ...(await standings(query, pool, asks)) };
  const grants = granted.filter(({ leaseId }) => leases[leaseId] === undefined);
  const waits = Object.values(leases).some(({ state }) => state === 'waits');
  return { reply: { leases, pools: waits ? { [pool]: await poolState(query, pool) } : {} }, grants };
}

/** Who waits already is not refused when the pool is made smaller: it waits until that is undone. */
async function knownLeases(query: Query, { asks }: PoolRequests): Promise<ReadonlySet<string>> {
  const rows = await query<{ leaseId: string }>(
    'select lease_id as "leaseId" from ingot.pool_leases where lease_id = any($1)',
    [asks.map(({ leaseId }) => leaseId)],
  );
  return new Set(rows.map(({ leaseId }) => leaseId));
}
