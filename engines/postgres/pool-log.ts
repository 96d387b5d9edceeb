import { TerminalError } from '../../ports/errors.ts';
import type {
  PoolGrant,
  PoolLease,
  PoolLog,
  PoolRecord,
  PoolReply,
  PoolRequests,
} from '../../ports/pools.ts';
import type { Database, Query } from './database.ts';
import { leaseIn, lockPool, servePool } from './pool-queue.ts';

function readPools(query: Query): Promise<PoolRecord[]> {
  return query<PoolRecord>(
    `with used as (
       select pool, coalesce(sum(slots) filter (where granted_at is not null), 0)::integer as held,
              count(*) filter (where granted_at is not null) as holders, count(*) filter (where granted_at is null) as waiting
         from ingot.pool_leases where released_at is null group by pool)
     select coalesce(p.name, u.pool) as name, p.slots, p.description, coalesce(u.held, 0) as held,
            coalesce(u.holders, 0) as holders, coalesce(u.waiting, 0) as waiting
       from ingot.pools p full join used u on u.pool = p.name order by 1`,
  );
}

function readLeases(query: Query, pool: string): Promise<PoolLease[]> {
  return query<PoolLease>(
    `select lease_id as "leaseId", pool, run_id as "runId", workflow_id as "workflowId", task, slots, priority,
            asked_at as "askedAt", granted_at as "grantedAt"
       from ingot.pool_leases where pool = $1 and released_at is null
      order by granted_at nulls last, priority desc, ticket`,
    [pool],
  );
}

async function setPool(
  query: Query,
  name: string,
  slots: number,
  description: string | undefined,
): Promise<'created' | 'changed' | 'unchanged'> {
  await lockPool(query, name);
  const [known] = await query<{ slots: number; description: string | null }>(
    'select slots, description from ingot.pools where name = $1',
    [name],
  );
  const text = description ?? known?.description ?? null;
  if (known !== undefined && known.slots === slots && known.description === text) return 'unchanged';
  await query(
    `insert into ingot.pools (name, slots, description) values ($1, $2, $3)
     on conflict (name) do update set slots = excluded.slots, description = excluded.description`,
    [name, slots, text],
  );
  await servePool(query, name);
  return known === undefined ? 'created' : 'changed';
}

async function deletePool(query: Query, name: string): Promise<void> {
  await lockPool(query, name);
  const pool = (await readPools(query)).find((each) => each.name === name);
  if (pool === undefined || pool.slots === null)
    throw new TerminalError({
      place: `pool ${name}`,
      expected: 'a pool that exists',
      found: 'none of this name',
      remedy: '`ingot pools list` shows them.',
    });
  if (pool.holders > 0 || pool.waiting > 0)
    throw new TerminalError({
      place: `pool ${name}`,
      expected: 'a pool that nobody holds or waits for',
      found: `${pool.holders} holding and ${pool.waiting} waiting`,
      remedy: `\`ingot pools show ${name}\` names them; \`ingot pools set ${name} 0\` closes it, and once they have ended it can be deleted.`,
    });
  await query('delete from ingot.pools where name = $1', [name]);
}

function poolsOf({ releases, asks }: PoolRequests): readonly string[] {
  return [...new Set([...releases, ...asks].map(({ pool }) => pool))].sort();
}

/** Pool by pool, so that nobody holds two locks. */
async function leasePools(
  db: Database,
  requests: PoolRequests,
): Promise<{ reply: PoolReply; grants: PoolGrant[] }> {
  let reply: PoolReply = { leases: {}, pools: {} };
  const grants: PoolGrant[] = [];
  for (const pool of poolsOf(requests)) {
    const one = await db.transaction(async (query) => {
      await lockPool(query, pool);
      return leaseIn(query, requests, pool);
    });
    reply = {
      leases: { ...reply.leases, ...one.reply.leases },
      pools: { ...reply.pools, ...one.reply.pools },
    };
    grants.push(...one.grants);
  }
  return { reply, grants };
}

async function servePools(db: Database): Promise<PoolGrant[]> {
  // A request under way while its run is closed is not seen by the statement that closes it.
  await db.query(
    `delete from ingot.pool_leases l using ingot.runs r where r.run_id = l.run_id and r.state <> 'running'`,
  );
  const waited = await db.query<{ pool: string }>(
    'select distinct pool from ingot.pool_leases where granted_at is null and released_at is null order by 1',
  );
  for (const { pool } of waited)
    await db.transaction(async (query) => {
      await lockPool(query, pool);
      await servePool(query, pool);
    });
  return db.query<PoolGrant>(
    `select lease_id as "leaseId", workflow_id as "workflowId" from ingot.pool_leases
      where granted_at is not null and told_at is null and released_at is null order by granted_at`,
  );
}

export function postgresPoolLog(db: Database): PoolLog {
  return {
    pools: () => readPools(db.query),
    poolLeases: (pool) => readLeases(db.query, pool),
    setPool: (name, slots, description) =>
      db.transaction((query) => setPool(query, name, slots, description)),
    deletePool: (name) => db.transaction((query) => deletePool(query, name)),
    leasePools: (requests) => leasePools(db, requests),
    servePools: () => servePools(db),
    grantsTold: async (leaseIds) => {
      await db.query(
        'update ingot.pool_leases set told_at = clock_timestamp() where lease_id = any($1) and told_at is null',
        [leaseIds],
      );
    },
    runsInPools: async () => {
      const rows = await db.query<{ runId: string }>(
        `select distinct run_id as "runId" from ingot.pool_leases
          where released_at is null and pool in
            (select pool from ingot.pool_leases where granted_at is null and released_at is null)`,
      );
      return rows.map(({ runId }) => runId);
    },
  };
}
