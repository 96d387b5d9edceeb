import knexFactory from 'knex';
import type { Knex } from 'knex';
import pg from 'pg';
import { RetryableError, TerminalError } from '../ports/errors.ts';
import { ledgerMigration } from './0001-ledger.ts';

type Migration = Knex.Migration & { readonly name: string };

/** Oldest first. A published migration is never changed, only followed by another. */
const migrations: readonly Migration[] = [ledgerMigration];

/** Any constant will do, as long as every version of the product uses the same. */
const migrationLock = '7377301905221';

const source: Knex.MigrationSource<Migration> = {
  getMigrations: () => Promise.resolve([...migrations]),
  getMigrationName: (migration) => migration.name,
  getMigration: (migration) => Promise.resolve(migration),
};

async function connect(connectionString: string): Promise<pg.Client> {
  let client: pg.Client;
  try {
    client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  } catch {
    // The original error quotes the connection string, password and all.
    throw new TerminalError({
      expected: 'a connection string like postgres://user@host:5432/database',
      found: 'one that cannot be parsed',
      remedy: 'Correct the connection string of the ledger.',
    });
  }
  const place = `${client.host}:${client.port}/${client.database ?? ''}`;
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new RetryableError(
      {
        place,
        expected: 'a Postgres server that accepts the connection',
        found: error instanceof Error && error.message !== '' ? error.message : String(error),
        remedy: 'Start the server, or correct the connection string of the ledger.',
      },
      { cause: error },
    );
  }
  client.on('error', () => undefined);
  return client;
}

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

async function migrateLocked(client: pg.Client, connectionString: string): Promise<readonly string[]> {
  await refuseNewerDatabase(client);
  await client.query('create schema if not exists ingot');
  const knex = knexFactory({
    client: 'pg',
    connection: { connectionString },
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
export async function migrate(connectionString: string): Promise<readonly string[]> {
  const client = await connect(connectionString);
  try {
    await client.query('select pg_advisory_lock($1::bigint)', [migrationLock]);
    return await migrateLocked(client, connectionString);
  } finally {
    await client.end().catch(() => undefined);
  }
}
