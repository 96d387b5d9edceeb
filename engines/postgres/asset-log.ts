import { TerminalError } from '../../ports/errors.ts';
import type { AssetCursor, AssetEvent, AssetLog, AssetRun, Delivery } from '../../ports/assets.ts';
import type { WaitingEvents } from '../../dag/assets.ts';
import { takeLocks } from './advisory-locks.ts';
import type { Database, Query } from './database.ts';
import { insertEvents } from './events.ts';
import { jsonText } from './json-text.ts';

const eventColumns = `e.asset, e.position, e.key, e.at, e.run_id as "runId", e.dag_id as "dagId",
  e.logical_date as "logicalDate", e.publication_id as "publicationId", e.payload`;

const runColumns = `r.dag_id as "dagId", r.number, r.interval_start as "start", r.interval_end as "end", r.run_id as "runId",
  coalesce((select json_agg(json_build_object('asset', d.asset, 'count', d.count) order by d.asset)
              from (select asset, count(*) from ingot.asset_deliveries
                     where dag_id = r.dag_id and number = r.number group by asset) d), '[]') as assets`;

interface RunRow extends Omit<AssetRun, 'interval'> {
  readonly start: string;
  readonly end: string;
}

async function readRuns(query: Query, where: string, values: readonly unknown[]): Promise<AssetRun[]> {
  const rows = await query<RunRow>(
    `select ${runColumns} from ingot.asset_runs r where ${where} order by r.number`,
    values,
  );
  return rows.map(({ start, end, ...run }) => ({ ...run, interval: { start, end } }));
}

/** One at a time deals with the events of a DAG. */
function lockOf(query: Query, dagId: string): Promise<void> {
  return takeLocks(query, [{ name: `assets:${dagId}`, mode: 'exclusive' }]);
}

async function follow(query: Query, dagId: string, assets: readonly string[]): Promise<void> {
  await lockOf(query, dagId);
  // What was read of an asset that is not waited for any more can complete no condition.
  await query(
    `with gone as (delete from ingot.asset_deliveries where dag_id = $1 and number is null and asset <> all($2))
     delete from ingot.asset_cursors where dag_id = $1 and asset <> all($2)`,
    [dagId, assets],
  );
  await query(
    `insert into ingot.asset_cursors (dag_id, asset, position)
     select $1, a.asset, coalesce((select h.position from ingot.asset_heads h where h.asset = a.asset), 0)
       from unnest($2::text[]) as a (asset) on conflict (dag_id, asset) do nothing`,
    [dagId, assets],
  );
}

async function deliver(query: Query, dagId: string, deliveries: readonly Delivery[]): Promise<void> {
  await lockOf(query, dagId);
  const given = jsonText(deliveries.map(({ interval, ...each }) => ({ ...each, ...interval })));
  await query(
    `with given as (
       select g.* from jsonb_to_recordset($2) as g (asset text collate "C", position bigint, start timestamptz, "end" timestamptz)
         join ingot.asset_cursors c on c.dag_id = $1 and c.asset = g.asset and g.position > c.position
     ), moved as (
       update ingot.asset_cursors c set position = n.position
         from (select asset, max(position) as position from given group by asset) n
        where c.dag_id = $1 and c.asset = n.asset
     )
     insert into ingot.asset_deliveries (dag_id, asset, position, interval_start, interval_end)
     select $1, asset, position, start, "end" from given order by asset, position`,
    [dagId, given],
  );
}

async function take(
  query: Query,
  dagId: string,
  { start, end }: Delivery['interval'],
): Promise<AssetRun | null> {
  await lockOf(query, dagId);
  const rows = await query<{ number: number }>(
    `insert into ingot.asset_runs (dag_id, number, interval_start, interval_end)
     select $1, coalesce((select max(number) from ingot.asset_runs where dag_id = $1), 0) + 1, $2, $3
      where exists (select from ingot.asset_deliveries
                     where dag_id = $1 and interval_start = $2 and interval_end = $3 and number is null)
        and not exists (select from ingot.asset_runs
                         where dag_id = $1 and interval_end = $3 and run_id is null)
     returning number`,
    [dagId, start, end],
  );
  if (rows[0] === undefined) return null;
  const { number } = rows[0];
  await query(
    `update ingot.asset_deliveries set number = $4
      where dag_id = $1 and interval_start = $2 and interval_end = $3 and number is null`,
    [dagId, start, end, number],
  );
  return (await readRuns(query, 'r.dag_id = $1 and r.number = $2', [dagId, number]))[0]!;
}

async function begun(query: Query, dagId: string, number: number, runId: string): Promise<void> {
  const rows = await query(
    'update ingot.asset_runs set run_id = $3 where dag_id = $1 and number = $2 returning number',
    [dagId, number, runId],
  );
  if (rows.length > 0) return;
  throw new TerminalError({
    place: `run ${runId} of ${dagId}`,
    expected: 'events that were given to it',
    found: `no event run ${number} in the ledger`,
    remedy: 'Event runs are started by the DAG’s asset feed; start other runs with `ingot run`.',
  });
}

function cursors(query: Query, dagId: string | null): Promise<AssetCursor[]> {
  return query<AssetCursor>(
    `select c.dag_id as "dagId", c.asset, c.position, coalesce(h.position, 0) - c.position as unread,
            (select count(*) from ingot.asset_deliveries d
              where d.dag_id = c.dag_id and d.asset = c.asset and d.number is null) as waiting
       from ingot.asset_cursors c left join ingot.asset_heads h using (asset)
      where $1::text is null or c.dag_id = $1 order by c.dag_id, c.asset`,
    [dagId],
  );
}

async function emit(query: Query, event: Parameters<AssetLog['emitAsset']>[0]): Promise<AssetEvent> {
  const { asset, key, at, logicalDate, payload } = event;
  const told = { asset, runId: null, dagId: null, logicalDate, payload };
  await insertEvents(query, [{ key: `asset/${asset}/${key}`, kind: 'asset', at, payload: told }]);
  const rows = await query<AssetEvent>(
    `select ${eventColumns} from ingot.asset_events e where asset = $1 and key = $2`,
    [asset, `asset/${asset}/${key}`],
  );
  return rows[0]!;
}

/** Unread, waiting or given to a run that may yet look at it: such an event is needed, and one by which the asset is known. */
const needless = `
  select e.asset, e.position from ingot.asset_events e join ingot.asset_heads h using (asset)
   where e.at < $1 and e.position < h.position
     and not exists (select from ingot.asset_cursors c where c.asset = e.asset and c.position < e.position)
     and not exists (select from ingot.asset_deliveries d
                       left join ingot.asset_runs a on a.dag_id = d.dag_id and a.number = d.number
                       left join ingot.runs r on r.run_id = a.run_id
                      where d.asset = e.asset and d.position = e.position
                        and (r.ended_at is null or r.ended_at >= $1))`;

async function forget(query: Query, before: string, dryRun: boolean): Promise<number> {
  const [counted] = await query<{ count: number }>(
    dryRun
      ? `select count(*) as count from (${needless}) n`
      : `with needless as materialized (${needless}),
              given as (delete from ingot.asset_deliveries d using needless n
                         where d.asset = n.asset and d.position = n.position),
              gone as (delete from ingot.asset_events e using needless n
                        where e.asset = n.asset and e.position = n.position returning 1)
         select count(*) as count from gone`,
    [before],
  );
  return counted!.count;
}

export function postgresAssetLog(db: Database): AssetLog {
  return {
    emitAsset: (event) => db.transaction((query) => emit(query, event)),
    assetEvents: (asset, limit = 50) =>
      db.query<AssetEvent>(
        `select ${eventColumns} from ingot.asset_events e where asset = $1 order by position desc limit $2`,
        [asset, limit],
      ),
    assets: () =>
      db.query<AssetEvent>(
        `select ${eventColumns} from ingot.asset_heads h join ingot.asset_events e using (asset, position) order by asset`,
      ),
    followAssets: (dagId, assets) => db.transaction((query) => follow(query, dagId, assets)),
    assetFollowers: async (assets) => {
      const rows = await db.query<{ dagId: string }>(
        'select distinct dag_id as "dagId" from ingot.asset_cursors where asset = any($1) order by 1',
        [assets],
      );
      return rows.map(({ dagId }) => dagId);
    },
    assetCursors: (dagId) => cursors(db.query, dagId ?? null),
    unreadEvents: (dagId, limit) =>
      db.query<AssetEvent>(
        `select ${eventColumns} from ingot.asset_cursors c join ingot.asset_events e on e.asset = c.asset and e.position > c.position
          where c.dag_id = $1 order by e.asset, e.position limit $2`,
        [dagId, limit],
      ),
    deliverEvents: (dagId, deliveries) => db.transaction((query) => deliver(query, dagId, deliveries)),
    waitingEvents: (dagId) =>
      db.query<WaitingEvents>(
        `select interval_start as "start", interval_end as "end", array_agg(distinct asset) as assets
           from ingot.asset_deliveries where dag_id = $1 and number is null group by 1, 2 order by 1, 2`,
        [dagId],
      ),
    takeEvents: (dagId, interval) => db.transaction((query) => take(query, dagId, interval)),
    unbegunAssetRuns: (dagId) => readRuns(db.query, 'r.dag_id = $1 and r.run_id is null', [dagId]),
    assetRun: async (dagId, number) =>
      (await readRuns(db.query, 'r.dag_id = $1 and r.number = $2', [dagId, number]))[0] ?? null,
    assetRunOf: async (runId) => (await readRuns(db.query, 'r.run_id = $1', [runId]))[0] ?? null,
    assetRunBegun: (dagId, number, runId) => begun(db.query, dagId, number, runId),
    forgetAssetEvents: (before, { dryRun }) => forget(db.query, before, dryRun),
    eventsOfRun: (dagId, number) =>
      db.query<AssetEvent>(
        `select ${eventColumns} from ingot.asset_deliveries d join ingot.asset_events e using (asset, position)
          where d.dag_id = $1 and d.number = $2 order by e.asset, e.position`,
        [dagId, number],
      ),
  };
}
