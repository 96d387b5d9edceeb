import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { PartitionValues, Table } from '../../dag/relation.ts';
import type { CallOptions } from '../../ports/abortable.ts';
import type { CatalogLog, PublishedTable } from '../../ports/catalog-log.ts';
import { RetryableError } from '../../ports/errors.ts';
import { lockKey } from './advisory-locks.ts';
import type { Database, Query } from './database.ts';
import { isConnectionLost, translated } from './errors.ts';
import { bind } from './selectors.ts';
import { createTurns, type Turns } from './turns.ts';
import { readCurrent } from './versions.ts';

const firstLookMs = 20;
const longestPauseMs = 1_000;

/** The publication is read before the partitions: what is published in between is then taken for not yet told. */
async function readPublished(query: Query, catalog: string, name: string): Promise<PublishedTable | null> {
  const [row] = await query<
    Omit<Table, 'description'> & {
      description: string | null;
      publication: number | null;
      synced: number | null;
    }
  >(
    `select name, zone, columns, partition_by as "partitionBy", description,
            (select publication_id from ingot.partition_versions v where v.table_name = t.name
              order by publication_id desc limit 1) as publication,
            (select publication_id from ingot.catalog_syncs s where s.catalog = $2 and s.table_name = t.name) as synced
       from ingot.tables t where name = $1`,
    [name, catalog],
  );
  if (row === undefined) return null;
  const { publication, synced, description, ...table } = row;
  const selector = bind(new Map([[name, table.partitionBy]]), { table: name, where: {} });
  const { versions } = await readCurrent(query, [selector]);
  const gone = await query<{ values: PartitionValues }>(
    `select p.partition_values as values from ingot.partitions p join ingot.partition_versions v using (version)
      where p.table_name = $1 and p.removed and v.publication_id > $2 order by p.partition`,
    [name, synced ?? 0],
  );
  return {
    table: description === null ? table : { ...table, description },
    publication,
    partitions: versions,
    synced,
    removed: gone.map(({ values }) => values),
  };
}

/** Looked for again and again in place of waited for, so that the caller may give up at any moment. */
async function takeLock(client: pg.PoolClient, key: string, { beat }: CallOptions, signal: AbortSignal) {
  for (let pause = firstLookMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    signal.throwIfAborted();
    const { rows } = await client.query<{ taken: boolean }>(
      'select pg_try_advisory_lock($1::bigint) as taken',
      [key],
    );
    if (rows[0]!.taken) return;
    beat?.('waiting for another sync of the table');
    await delay(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
  }
}

/** Aborted when the caller gives up or the session that holds the lock ends. */
function watch(client: pg.PoolClient, { signal }: CallOptions, place: string) {
  const controller = new AbortController();
  const lost = (): void =>
    controller.abort(
      new RetryableError({
        place,
        expected: 'the turn to be held until the catalog is written',
        found: 'that the session with the ledger’s database ended',
        remedy: 'The same call may be repeated.',
      }),
    );
  const given = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) given();
  signal?.addEventListener('abort', given, { once: true });
  client.on('error', lost);
  client.on('end', lost);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      signal?.removeEventListener('abort', given);
      client.off('error', lost);
      client.off('end', lost);
    },
  };
}

async function inTurn<Result>(
  db: Database,
  name: { readonly catalog: string; readonly table: string },
  work: Parameters<CatalogLog['inTurn']>[2],
  options: CallOptions,
): Promise<Result> {
  const client = await db.pool.connect().catch((error: unknown) => {
    throw translated(error, db.place);
  });
  const key = String(lockKey(`catalog:${name.catalog}:${name.table}`));
  const query: Query = async (sql, values = []) => (await client.query(sql, values as unknown[])).rows;
  let broken = true;
  try {
    using turn = watch(client, options, `sync of ${name.table}`);
    try {
      await takeLock(client, key, options, turn.signal);
      const result = await work(await readPublished(query, name.catalog, name.table), turn.signal);
      turn.signal.throwIfAborted();
      return result as Result;
    } finally {
      broken = await client.query('select pg_advisory_unlock($1::bigint)', [key]).then(
        () => false,
        () => true,
      );
    }
  } catch (error) {
    if (isConnectionLost(error)) broken = true;
    throw translated(error, db.place);
  } finally {
    client.release(broken);
  }
}

/**
 * `turnsDb` lends a connection to each turn for as long as it lasts: turns that wait for a service far away must not keep the
 * connections publishing needs.
 */
export function postgresCatalogLog(
  db: Database,
  turnsDb: Database,
  turns: Turns = createTurns(),
): CatalogLog {
  return {
    inTurn: (catalog, table, work, options = {}) =>
      turns.take(`${catalog}:${table}`, options, () => inTurn(turnsDb, { catalog, table }, work, options)),
    behind: async (catalog) => {
      const rows = await db.query<{ name: string }>(
        `select t.name from ingot.tables t
           join lateral (select publication_id from ingot.partition_versions v where v.table_name = t.name
                          order by publication_id desc limit 1) newest on true
           left join ingot.catalog_syncs s on s.catalog = $1 and s.table_name = t.name
          where s.publication_id is null or s.publication_id < newest.publication_id
          order by t.name`,
        [catalog],
      );
      return rows.map(({ name }) => name);
    },
    synced: async (catalog, table, publication) => {
      await db.query(
        `insert into ingot.catalog_syncs as s (catalog, table_name, publication_id) values ($1, $2, $3)
         on conflict (catalog, table_name) do update
           set publication_id = greatest(s.publication_id, excluded.publication_id), synced_at = clock_timestamp()`,
        [catalog, table, publication],
      );
    },
  };
}
