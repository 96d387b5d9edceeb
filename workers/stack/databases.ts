import pg from 'pg';
import type { PostgresServer } from './postgres-server.ts';

/** Databases of the embedded server, by the name of the connection that leads to them. */
export const embeddedDatabases = {
  ledger: 'ingot',
  warehouse: 'warehouse',
  operational: 'operational',
} as const;

export async function createDatabases(server: PostgresServer): Promise<void> {
  const client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('select datname from pg_database');
    const known = new Set(rows.map((row) => row.datname));
    for (const name of Object.values(embeddedDatabases))
      if (!known.has(name)) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
