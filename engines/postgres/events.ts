import type { LedgerEvent, RunLog } from '../../ports/ledger.ts';
import type { Query } from './database.ts';
import { jsonText } from './json-text.ts';

/**
 * What is already known by its key stays as it is. Of those that are new, the ones of kind `asset` get their positions in the log of
 * their asset: the lock on its head, taken here, is held until they are committed, so nobody sees a later one before an earlier.
 */
export async function insertEvents(query: Query, events: readonly LedgerEvent[]): Promise<void> {
  if (events.length === 0) return;
  await query(
    `with fresh as (
       insert into ingot.events (key, kind, at, payload)
       select key, kind, at, payload from jsonb_to_recordset($1) as e (key text, kind text, at timestamptz, payload jsonb)
       order by key on conflict (key) do nothing returning key, kind, at, payload
     ), named as (
       select payload ->> 'asset' as asset, key, at, payload,
              row_number() over (partition by payload ->> 'asset' order by key) as n, count(*) over (partition by payload ->> 'asset') as total
         from fresh where kind = 'asset'
     ), heads as (
       insert into ingot.asset_heads as h (asset, position) select asset, count(*) from named group by asset order by asset
       on conflict (asset) do update set position = h.position + excluded.position returning asset, position
     )
     insert into ingot.asset_events (asset, position, key, at, run_id, dag_id, logical_date, payload)
     select n.asset, h.position - n.total + n.n, n.key, n.at, n.payload ->> 'runId', n.payload ->> 'dagId',
            (n.payload ->> 'logicalDate')::timestamptz, coalesce(n.payload -> 'payload', '{}')
       from named n join heads h on h.asset = n.asset collate "C"`,
    [jsonText(events)],
  );
}

export function listEvents(query: Query, filter: Parameters<RunLog['events']>[0]): Promise<LedgerEvent[]> {
  return query<LedgerEvent>(
    `select key, kind, at, payload from ingot.events
      where ($1::text is null or key ^@ $1) and ($2::text is null or kind = $2)
      order by position desc limit $3`,
    [filter.keyPrefix ?? null, filter.kind ?? null, filter.limit ?? 50],
  );
}
