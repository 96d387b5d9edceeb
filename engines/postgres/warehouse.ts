import type pg from 'pg';
import { TerminalError } from '../../ports/errors.ts';
import type { Warehouse } from '../../ports/warehouse.ts';
import type { DatabaseAccess } from './access.ts';
import { takeLocks } from './advisory-locks.ts';
import { cancellable } from './cancellable.ts';
import { openDatabase } from './database.ts';
import { bareSelect } from './identifiers.ts';
import type { Database } from './database.ts';
import { replaceSlice } from './replace-slice.ts';
import { createTurns } from './turns.ts';

const sessionSettings = {
  TimeZone: 'UTC',
  DateStyle: 'ISO',
  // A load hashes its keys; with the default of 4 MB it would sort them on disk. Loads per session: one at a time.
  work_mem: '64MB',
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
};

/** `create table if not exists` fails when two sessions run it at once, hence the lock. */
async function ensureFence(db: Database): Promise<void> {
  const rows = await db.query<{ exists: boolean }>(`select to_regclass('ingot_loads') is not null as exists`);
  if (rows[0]!.exists) return;
  await db.transaction(async (query) => {
    await takeLocks(query, [{ name: 'ingot_loads', mode: 'exclusive' }]);
    await query(`create table if not exists ingot_loads (
      target text not null, slice text not null, publication bigint not null,
      loaded_at timestamptz not null default clock_timestamp(), primary key (target, slice))`);
  });
}

const asText = { getTypeParser: () => (value: string) => value };

function read(
  db: Database,
  sql: string,
  options: Parameters<Warehouse['query']>[1] = {},
): ReturnType<Warehouse['query']> {
  return cancellable(db, 'begin read only', options, async ({ client }) => {
    // Only a select can have a cursor, and the extended protocol takes one statement only.
    await client.query({
      text: `declare result no scroll cursor for ${bareSelect(sql)}`,
      queryMode: 'extended',
    } as pg.QueryConfig);
    const rows = options.limit === undefined ? 'all' : Math.max(0, Math.floor(options.limit));
    const result = await client.query<(string | null)[]>({
      text: `fetch forward ${rows} from result`,
      rowMode: 'array',
      types: asText,
    });
    return { columns: result.fields.map((field) => field.name), rows: result.rows };
  });
}

async function endUnread(rows: AsyncIterable<Uint8Array>): Promise<void> {
  await rows[Symbol.asyncIterator]().return?.();
}

/** The warehouse in the database of the connection string. Throws TerminalError or RetryableError when it cannot be reached. */
export async function openPostgresWarehouse(
  access: string | DatabaseAccess,
  options: { readonly maxConnections?: number } = {},
): Promise<Warehouse> {
  const db = openDatabase(access, sessionSettings, options.maxConnections ?? 6);
  try {
    await ensureFence(db);
  } catch (error) {
    await db.close();
    throw error;
  }
  const turns = createTurns();
  return {
    async replaceSlice(request, call = {}) {
      if (!Number.isSafeInteger(request.publication))
        throw new TerminalError({
          place: `load of ${request.target.name}`,
          expected: 'a publication number',
          found: String(request.publication),
          remedy: 'Pass the id of the publication the rows come from.',
        });
      const result = await turns.take(request.target.name, call, () =>
        cancellable(db, 'begin', call, (transaction) => replaceSlice(transaction, request)),
      );
      if (result.outcome === 'stale') await endUnread(request.rows);
      return result;
    },
    query: (sql, call) => read(db, sql, call),
    close: () => db.close(),
  };
}
