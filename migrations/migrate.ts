import knexFactory from 'knex';
import type { Knex } from 'knex';
import type pg from 'pg';
import { TerminalError } from '../ports/errors.ts';
import { ledgerMigration } from './0001-ledger.ts';
import { schedulesMigration } from './0002-schedules.ts';
import { backfillsMigration } from './0003-backfills.ts';
import { heldRunsMigration } from './0004-held-runs.ts';
import { poolsMigration } from './0005-pools.ts';
import { slicesAndAssetsMigration } from './0007-slices-and-assets.ts';
import { parkedProgressMigration } from './0008-parked-progress.ts';
import { catalogsMigration } from './0009-catalogs.ts';
import { engineReasonsMigration } from './0010-engine-reasons.ts';
import { configOf, withConnection, type Connection } from './connection.ts';

type Migration = Knex.Migration & { readonly name: string };

/** Oldest first. A published migration is never changed, only followed by another. */
const migrations: readonly Migration[] = [
  ledgerMigration,
  schedulesMigration,
  backfillsMigration,
  heldRunsMigration,
  poolsMigration,
  slicesAndAssetsMigration,
  parkedProgressMigration,
  catalogsMigration,
  engineReasonsMigration,
];

/** Any constant will do, as long as every version of the product uses the same. */
const migrationLock = '7377301905221';

const source: Knex.MigrationSource<Migration> = {
  getMigrations: () => Promise.resolve([...migrations]),
  getMigrationName: (migration) => migration.name,
  getMigration: (migration) => Promise.resolve(migration),
};

async function refuseNewerDatabase(client: pg.Client): Promise<void> {
  const found = await client.query<{ exists: boolean }>(
    `select to_regclass('ingot.migrations') is not null as exists`,
  );
  if (!found.rows[0]!.exists) return;
  const applied = await client.query<{ name: string }>('select name from ingot.migrations order by id');
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = applied.rows.map((row) => row.name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new TerminalError({
    place: `schema "ingot" of database ${client.database}`,
    expected: `a ledger no newer than migration ${migrations.at(-1)!.name}`,
    found: `migrations this version does not know: ${unknown.join(', ')}`,
    remedy: 'Run the version that made them, or a newer one.',
  });
}

async function migrateLocked(client: pg.Client, given: Connection): Promise<readonly string[]> {
  await refuseNewerDatabase(client);
  await client.query('create schema if not exists ingot');
  const knex = knexFactory({
    client: 'pg',
    connection: () => Promise.resolve(configOf(given) as Knex.PgConnectionConfig),
    pool: { min: 0, max: 1 },
    migrations: { migrationSource: source, schemaName: 'ingot', tableName: 'migrations' },
  });
  try {
    // A process killed in the middle leaves knex's own lock row set; ours, held now, ended with its session.
    await knex.migrate.forceFreeMigrationsLock();
    const [, applied] = (await knex.migrate.latest()) as [number, string[]];
    return applied;
  } finally {
    await knex.destroy();
  }
}

/**
 * Brings the ledger's schema `ingot` up to the newest migration and answers the names of those it applied. Any number
 * of processes may call it at once. Throws TerminalError, changing nothing, when the database is newer than this code.
 */
export function migrate(given: Connection): Promise<readonly string[]> {
  return withConnection(given, async (client) => {
    await client.query('select pg_advisory_lock($1::bigint)', [migrationLock]);
    return migrateLocked(client, given);
  });
}
