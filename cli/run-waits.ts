import { lookAtPast } from '../activities/past-steps.ts';
import type { InstanceKey, PastWait, PoolWait } from '../dag/reducer.ts';
import type { AttemptRecord, Ledger, RunRecord } from '../ports/ledger.ts';
import type { PoolLease } from '../ports/pools.ts';

const namedHolders = 5;

function poolWait(lease: PoolLease, size: number | null, leases: readonly PoolLease[]): PoolWait {
  const holders = leases.filter(({ grantedAt }) => grantedAt !== null);
  const queue = leases.filter(({ grantedAt }) => grantedAt === null);
  return {
    reason: 'pool',
    pool: lease.pool,
    slots: lease.slots,
    sinceMs: Date.parse(lease.askedAt),
    standing: {
      size,
      held: holders.reduce((sum, { slots }) => sum + slots, 0),
      heldBy: holders
        .slice(0, namedHolders)
        .map(({ workflowId, task, slots }) => ({ run: workflowId, task, slots })),
      ahead: queue.findIndex(({ leaseId }) => leaseId === lease.leaseId),
    },
  };
}

async function poolWaits(ledger: Ledger, { runId }: RunRecord): Promise<[InstanceKey, PoolWait][]> {
  const waits: [InstanceKey, PoolWait][] = [];
  for (const pool of (await ledger.pools()).filter(({ waiting }) => waiting > 0)) {
    const leases = await ledger.poolLeases(pool.name);
    for (const lease of leases)
      if (lease.runId === runId && lease.grantedAt === null)
        waits.push([lease.task, poolWait(lease, pool.slots, leases)]);
  }
  return waits;
}

async function pastWaits(
  ledger: Ledger,
  run: RunRecord,
  attempts: readonly AttemptRecord[],
): Promise<[InstanceKey, PastWait][]> {
  // No worker has seen them: most of what waits for anything else was begun once, and its past is settled in any case.
  const waiting = attempts.filter(
    ({ state, mapIndex, worker }) => state === 'waiting' && mapIndex < 0 && worker === null,
  );
  if (waiting.length === 0 || !(await ledger.plan(run.planHash))?.dependsOnPast) return [];
  const seen = await lookAtPast(ledger, { runId: run.runId, taskIds: waiting.map(({ taskId }) => taskId) });
  return waiting
    .filter(({ taskId }) => seen.settled !== 'all' && !seen.settled.includes(taskId))
    .map(({ taskId, scheduledAt }) => [
      taskId,
      {
        reason: 'past',
        sinceMs: Date.parse(scheduledAt ?? run.startedAt),
        past: { ...seen.previous, task: seen.tasks[taskId] ?? null },
      },
    ]);
}

/** What the tasks of an open run wait for in pools and in the run before, as the ledger knows it. */
export async function waitsOf(
  ledger: Ledger,
  run: RunRecord,
  attempts: readonly AttemptRecord[],
): Promise<ReadonlyMap<InstanceKey, PoolWait | PastWait>> {
  if (run.state !== 'running') return new Map();
  const [pools, past] = await Promise.all([poolWaits(ledger, run), pastWaits(ledger, run, attempts)]);
  return new Map<InstanceKey, PoolWait | PastWait>([...past, ...pools]);
}
