import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { clientConfig, placeOf, type DatabaseAccess } from './access.ts';
import { isConnectionLost, isTransient, translated } from './errors.ts';

export type Query = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** A pool of connections whose errors are the product's own. */
export interface Database {
  /** `host:port/database`, for messages. */
  readonly place: string;
  readonly pool: pg.Pool;
  /** For a connection beside the pool. */
  readonly client: pg.ClientConfig;
  readonly query: Query;
  /** Repeats `body`, which may only touch the database, when Postgres found a deadlock. */
  transaction<Result>(body: (query: Query) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const int8 = 20;
const timestamptz = 1184;

const utc = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?\+00$/;

/** The text of an instant of a session in UTC, without the way through a Date, which takes as long as all else of a row. */
function instantOf(text: string): string | null {
  const [, date, time, fraction = ''] = utc.exec(text) ?? [];
  if (date === undefined) return null;
  const millis = fraction.slice(1, 4).padEnd(3, '0');
  return `${date}T${time}${millis === '000' ? '' : `.${millis}`}Z`;
}

/** Counts and versions stay below 2^53, so they may be numbers; instants are RFC 3339 text, whole seconds without a fraction, as everywhere in the product. */
const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (oid === int8) return Number;
    const parse = pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown;
    if (oid !== timestamptz) return parse;
    return (value) => instantOf(value) ?? (parse(value) as Date).toISOString().replace('.000Z', 'Z');
  },
};

const limitOfRepeats = 8;

async function rollback(client: pg.PoolClient, error: unknown): Promise<void> {
  if (isConnectionLost(error)) return client.release(true);
  try {
    await client.query('rollback');
    client.release();
  } catch {
    client.release(true);
  }
}

/** `settings` are server settings of every session, e.g. `{ TimeZone: 'UTC' }`. */
export function openDatabase(
  access: string | DatabaseAccess,
  settings: Readonly<Record<string, string>>,
  maxConnections: number,
): Database {
  const config = clientConfig(access);
  const place = placeOf(new pg.Client(config));
  const client: pg.ClientConfig = { ...config, application_name: 'ingot' };
  const pool = new pg.Pool({
    ...client,
    max: maxConnections,
    connectionTimeoutMillis: 15_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    allowExitOnIdle: true,
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    types: types as pg.CustomTypesConfig,
  });
  let closed: Promise<void> | undefined;
  // A session that ends between two statements is told by an event, which ends the process when nobody listens; the pool
  // drops idle ones, and the next statement of a transaction fails.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));

  async function repeatedly<Result>(once: () => Promise<Result>): Promise<Result> {
    for (let repeat = 1; ; repeat += 1) {
      try {
        return await once();
      } catch (error) {
        if (!isTransient(error) || repeat === limitOfRepeats) throw translated(error, place);
        await delay(Math.random() * 20 * repeat);
      }
    }
  }

  async function transactOnce<Result>(body: (query: Query) => Promise<Result>): Promise<Result> {
    const client = await pool.connect();
    const query: Query = async (sql, values = []) => (await client.query(sql, values as unknown[])).rows;
    try {
      await client.query('begin');
      const result = await body(query);
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      await rollback(client, error);
      throw error;
    }
  }

  return {
    place,
    pool,
    client,
    query: (sql, values = []) => repeatedly(async () => (await pool.query(sql, values as unknown[])).rows),
    transaction: (body) => repeatedly(() => transactOnce(body)),
    close: () => (closed ??= pool.end()),
  };
}
