import { createHash } from 'node:crypto';
import { RunClosedError } from '../../ports/errors.ts';
import type { PartitionSelector } from '../../ports/ledger.ts';
import { takeLocks } from './advisory-locks.ts';
import { readLayouts, tableLock } from './catalog.ts';
import type { Database, Query } from './database.ts';
import { jsonText } from './json-text.ts';
import type { CheckedOutput } from './publish-checks.ts';
import { bind, covers, overlap, partitionName } from './selectors.ts';
import type { BoundSelector } from './selectors.ts';

/** Who asks less often than this while waiting gives up the place in the queue. */
const waiterPatience = '30 seconds';

interface Lease {
  readonly runId: string;
  readonly request: string;
  readonly ticket: number;
  readonly held: boolean;
  readonly selectors: readonly BoundSelector[];
}

/** Unexpired leases of open runs on these tables, held or waited for. */
function leasesOf(query: Query, tables: readonly string[]): Promise<Lease[]> {
  return query<Lease>(
    `select l.run_id as "runId", l.request, l.ticket, l.held, l.selectors from ingot.leases l join ingot.runs r using (run_id)
      where l.tables && $1::text[] and l.expires_at > clock_timestamp() and r.state = 'running'`,
    [tables],
  );
}

export interface LeasesOnOutputs {
  /** Outputs that another run holds: nobody else may move them, so that the holder's next snapshot lasts. */
  readonly ofOthers: readonly string[];
  /** Ends this run's leases on the outputs: once they are published, a lease has served its purpose. */
  releaseOwn(): Promise<void>;
}

export async function leasesOn(
  query: Query,
  runId: string,
  outputs: readonly CheckedOutput[],
): Promise<LeasesOnOutputs> {
  const tables = [...new Set(outputs.map((output) => output.table))];
  const held = tables.length === 0 ? [] : (await leasesOf(query, tables)).filter((lease) => lease.held);
  const holds = (lease: Lease, output: CheckedOutput): boolean =>
    lease.selectors.some((selector) => covers(selector, output.table, output.partition));
  const others = held.filter((lease) => lease.runId !== runId);
  const own = held.filter((lease) => lease.runId === runId && outputs.some((output) => holds(lease, output)));
  return {
    ofOthers: outputs
      .filter((output) => others.some((lease) => holds(lease, output)))
      .map((output) => partitionName(output.table, output.partitionText))
      .sort(),
    releaseOwn: async () => {
      if (own.length === 0) return;
      await query('delete from ingot.leases where run_id = $1 and request = any($2)', [
        runId,
        own.map((lease) => lease.request),
      ]);
    },
  };
}

async function enqueue(
  query: Query,
  runId: string,
  request: string,
  selectors: readonly BoundSelector[],
): Promise<number> {
  const rows = await query<{ state: string }>('select state from ingot.runs where run_id = $1 for share', [
    runId,
  ]);
  if (rows[0]?.state !== 'running')
    throw new RunClosedError({
      place: `run ${runId}`,
      expected: 'an open run',
      found: rows[0] === undefined ? 'a run the ledger does not know' : `a run closed as ${rows[0].state}`,
      remedy: 'A closed run cannot take leases; start a new run of the interval.',
    });
  const tickets = await query<{ ticket: number }>(
    `insert into ingot.leases as known (run_id, request, selectors, tables, held, expires_at)
     values ($1, $2, $3, $4, false, clock_timestamp() + $5::interval)
     on conflict (run_id, request) do update set expires_at = greatest(known.expires_at, excluded.expires_at)
     returning ticket`,
    [
      runId,
      request,
      jsonText(selectors),
      [...new Set(selectors.map((selector) => selector.table))],
      waiterPatience,
    ],
  );
  return tickets[0]!.ticket;
}

async function grant(
  query: Query,
  runId: string,
  selectors: readonly BoundSelector[],
  holdMs: number,
): Promise<boolean> {
  const tables = [...new Set(selectors.map((selector) => selector.table))];
  // The tables' locks let publications that already looked for leases finish before this one counts.
  await takeLocks(query, [
    { name: 'leases', mode: 'exclusive' },
    ...tables.map((table) => ({ name: tableLock(table), mode: 'exclusive' as const })),
  ]);
  await query(
    `delete from ingot.leases l using ingot.runs r
      where r.run_id = l.run_id and (l.expires_at <= clock_timestamp() or r.state <> 'running')`,
  );
  const request = createHash('sha256').update(jsonText(selectors)).digest('hex');
  const ticket = await enqueue(query, runId, request, selectors);
  const others = (await leasesOf(query, tables)).filter((lease) => lease.runId !== runId);
  const inTheWay = others.some(
    (other) =>
      (other.held || other.ticket < ticket) &&
      other.selectors.some((theirs) => selectors.some((ours) => overlap(theirs, ours))),
  );
  if (inTheWay) return false;
  await query(
    `update ingot.leases set held = true, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
      where run_id = $1 and request = $2`,
    [runId, request, holdMs],
  );
  return true;
}

export async function lease(
  db: Database,
  runId: string,
  wanted: readonly PartitionSelector[],
  holdMs: number,
): Promise<boolean> {
  if (wanted.length === 0) return true;
  const layouts = await readLayouts(
    db.query,
    wanted.map((selector) => selector.table),
  );
  const selectors = wanted.map((selector) => bind(layouts, selector));
  return db.transaction((query) => grant(query, runId, selectors, holdMs));
}

export async function releaseLeases(query: Query, runId: string): Promise<void> {
  await query('delete from ingot.leases where run_id = $1', [runId]);
}
