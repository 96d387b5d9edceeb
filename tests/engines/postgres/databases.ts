import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Databases of one test file, made from one another in place of being migrated each time. */
export interface Databases {
  /** A copy of `template` (nobody may be connected to it), or an empty database: its URL. */
  create(template?: string): Promise<string>;
  /** Ends every session of a database but the asking one. */
  cut(url: string): Promise<void>;
  deadlocks(url: string): Promise<number>;
  query<Row extends pg.QueryResultRow>(url: string, sql: string, values?: unknown[]): Promise<Row[]>;
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

export function databases(postgresUrl: string): Databases {
  return {
    query,
    async create(template) {
      const url = new URL(postgresUrl);
      url.pathname = `/test_${randomUUID().replaceAll('-', '')}`;
      const from = template === undefined ? '' : ` template ${nameOf(template)} strategy file_copy`;
      await query(postgresUrl, `create database ${nameOf(url.href)}${from}`);
      return url.href;
    },
    async cut(url) {
      await query(
        postgresUrl,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`,
        [nameOf(url)],
      );
    },
    async deadlocks(url) {
      const rows = await query<{ deadlocks: string }>(
        postgresUrl,
        'select deadlocks from pg_stat_database where datname = $1',
        [nameOf(url)],
      );
      return Number(rows[0]!.deadlocks);
    },
  };
}
