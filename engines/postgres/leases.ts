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
  readonly ticket: number;
  readonly held: boolean;
  readonly selectors: readonly BoundSelector[];
}

/** Unexpired leases on these tables of open runs other than `runId`, held or waited for. */
function leasesOfOthers(query: Query, runId: string, tables: readonly string[]): Promise<Lease[]> {
  return query<Lease>(
    `select l.run_id as "runId", l.ticket, l.held, l.selectors from ingot.leases l join ingot.runs r using (run_id)
      where l.run_id <> $1 and l.tables && $2::text[] and l.expires_at > clock_timestamp() and r.state = 'running'`,
    [runId, tables],
  );
}

/** Output partitions that another open run holds. While it does nobody else may move them, so its next snapshot lasts. */
export async function heldByOthers(
  query: Query,
  runId: string,
  outputs: readonly CheckedOutput[],
): Promise<readonly string[]> {
  if (outputs.length === 0) return [];
  const leases = await leasesOfOthers(query, runId, [...new Set(outputs.map((output) => output.table))]);
  const held = leases.filter((lease) => lease.held).flatMap((lease) => lease.selectors);
  return outputs
    .filter((output) => held.some((selector) => covers(selector, output.table, output.partition)))
    .map((output) => partitionName(output.table, output.partitionText))
    .sort();
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
  const others = await leasesOfOthers(query, runId, tables);
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
