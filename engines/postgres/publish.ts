import { RunClosedError, SnapshotConflictError, TerminalError } from '../../ports/errors.ts';
import type { Publication, PublishRequest } from '../../ports/ledger.ts';
import { takeLocks } from './advisory-locks.ts';
import type { Lock } from './advisory-locks.ts';
import { readLayouts, tableLock } from './catalog.ts';
import type { Database, Query } from './database.ts';
import { insertEvents } from './events.ts';
import { readPublications } from './history.ts';
import { leasesOn } from './leases.ts';
import { writePublication } from './publish-statement.ts';
import { checked, refusals } from './publish-checks.ts';
import type { CheckedOutput } from './publish-checks.ts';

import { bind, partitionName } from './selectors.ts';
import type { BoundSelector } from './selectors.ts';
import { currentVersions, selectorsJson, versionsByPart } from './versions.ts';
import type { CurrentVersion } from './versions.ts';

export const instanceName = (request: PublishRequest): string =>
  `${request.taskId}${request.mapIndex < 0 ? '' : `[${request.mapIndex}]`}`;

/**
 * Locks are per table, not per partition: a publication is a handful of short statements, so writers of one table lose
 * nothing by taking turns; a filter is then safe from partitions that appear (no lock could be held on those); and
 * a snapshot of ten years of days takes one lock in place of 3,650 from the server's shared table.
 */
function locksOf(
  request: PublishRequest,
  selectors: readonly BoundSelector[],
  outputs: readonly CheckedOutput[],
): Lock[] {
  const { manifest } = request;
  return [
    { name: `task:${request.runId}:${instanceName(request)}`, mode: 'exclusive' },
    ...selectors.map(({ table }): Lock => ({ name: tableLock(table), mode: 'shared' })),
    ...outputs.map(({ table }): Lock => ({ name: tableLock(table), mode: 'exclusive' })),
    ...manifest.accounts.map(({ scope }): Lock => ({ name: `accounts:${scope}`, mode: 'exclusive' })),
    ...manifest.watermarks.map(({ name }): Lock => ({ name: `watermark:${name}`, mode: 'exclusive' })),
  ];
}

interface Situation {
  readonly runState: string | null;
  readonly published: number | null;
  readonly newest: number | null;
  readonly current: readonly CurrentVersion[];
}

async function look(
  query: Query,
  request: PublishRequest,
  selectors: readonly BoundSelector[],
): Promise<Situation> {
  const rows = await query<Situation>(
    `with run as materialized (select state from ingot.runs where run_id = $1 for share),
          own as (select id, attempt from ingot.publications where run_id = $1 and task_id = $2 and map_index = $3),
          current as (${currentVersions('$5')})
     select (select state from run) as "runState",
            (select id from own where attempt = $4) as published,
            (select max(attempt) from own) as newest,
            coalesce((select json_agg(current) from current), '[]') as current`,
    [request.runId, request.taskId, request.mapIndex, request.attempt, selectorsJson(selectors)],
  );
  return rows[0]!;
}

function refuseClosedRun(request: PublishRequest, state: string | null): void {
  if (state === 'running') return;
  throw new RunClosedError({
    place: `run ${request.runId}, ${instanceName(request)}, attempt ${request.attempt}`,
    expected: 'an open run',
    found: state === null ? 'a run the ledger does not know' : `a run closed as ${state}`,
    remedy: 'Nothing was published. Start a new run of the interval if its data is still wanted.',
  });
}

function refuseOlderAttempt(request: PublishRequest, newest: number | null): void {
  if (newest === null || newest < request.attempt) return;
  throw new TerminalError({
    place: `run ${request.runId}, ${instanceName(request)}, attempt ${request.attempt}`,
    expected: 'the newest attempt to publish',
    found: `that attempt ${newest} has published already`,
    remedy: 'Nothing is lost: this attempt was replaced while it was still running.',
  });
}

function refuseMovedPartitions(
  request: PublishRequest,
  selectors: readonly BoundSelector[],
  rows: readonly CurrentVersion[],
): void {
  const now = versionsByPart(selectors, rows);
  const moved = request.manifest.snapshot.parts.flatMap((part, index) => {
    const current = now[index]!;
    const names = new Set([...Object.keys(part.versions), ...Object.keys(current)]);
    return [...names]
      .filter((name) => (part.versions[name] ?? null) !== (current[name] ?? null))
      .map((name) => partitionName(part.selector.table, name));
  });
  if (moved.length > 0) throw new SnapshotConflictError([...new Set(moved)].sort());
}

async function publishOnce(query: Query, request: PublishRequest): Promise<number> {
  const { parts } = request.manifest.snapshot;
  const layouts = await readLayouts(query, [
    ...parts.map((part) => part.selector.table),
    ...request.manifest.outputs.map((output) => output.table),
  ]);
  const selectors = parts.map((part) => bind(layouts, part.selector));
  const outputs = checked(request, layouts);
  await takeLocks(query, locksOf(request, selectors, outputs));
  const situation = await look(query, request, selectors);
  if (situation.published !== null) return situation.published;
  refuseClosedRun(request, situation.runState);
  refuseOlderAttempt(request, situation.newest);
  refuseMovedPartitions(request, selectors, situation.current);
  const leases = await leasesOn(query, request.runId, outputs);
  if (leases.ofOthers.length > 0)
    throw new SnapshotConflictError(leases.ofOthers, 'another run has leased them and publishes first');
  const id = await writePublication(query, request, outputs);
  await leases.releaseOwn();
  return id;
}

/** A refused verdict is worth remembering: why a task failed stays visible when its error message is gone. */
async function rememberRefusal(db: Database, request: PublishRequest, error: TerminalError): Promise<void> {
  const { runId, taskId, mapIndex, attempt, manifest } = request;
  const failed = manifest.rules.filter((rule) => rule.outcome === 'fail');
  await insertEvents(db.query, [
    {
      key: `refused:${runId}:${taskId}:${mapIndex}:${attempt}`,
      kind: 'publish_refused',
      at: request.publishedAt,
      payload: JSON.parse(
        JSON.stringify({
          runId,
          taskId,
          mapIndex,
          attempt,
          message: error.message,
          rules: failed,
          accounts: manifest.accounts,
        }),
      ),
    },
  ]);
}

export async function publish(db: Database, request: PublishRequest): Promise<Publication> {
  const refusal = refusals(request);
  if (refusal !== null) {
    await rememberRefusal(db, request, refusal);
    throw refusal;
  }
  const id = await db.transaction((query) => publishOnce(query, request));
  return (await readPublications(db.query, [id]))[0]!;
}
