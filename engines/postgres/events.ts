import type { LedgerEvent, RunLog } from '../../ports/ledger.ts';
import type { Query } from './database.ts';
import { jsonText } from './json-text.ts';

/** What is already known by its key stays as it is. */
export async function insertEvents(query: Query, events: readonly LedgerEvent[]): Promise<void> {
  if (events.length === 0) return;
  await query(
    `insert into ingot.events (key, kind, at, payload)
     select key, kind, at, payload from jsonb_to_recordset($1) as e (key text, kind text, at timestamptz, payload jsonb)
     order by key on conflict (key) do nothing`,
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
