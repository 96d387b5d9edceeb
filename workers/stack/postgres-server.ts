import { join } from 'node:path';
import pg from 'pg';
import { freePorts } from './free-port.ts';
import { startGuarded, type GuardedChild } from './guarded-child.ts';
import { removeStaleServerLock } from './leftovers.ts';
import { prepareCluster } from './postgres-cluster.ts';
import { postgresPlace } from './postgres-place.ts';
import { waitUntilReady } from './wait-until.ts';

export interface PostgresServerOptions {
  /** Holds the cluster and the log; created when absent. */
  readonly folder: string;
  /** A wish: a port that is taken is replaced by a free one. */
  readonly port?: number | undefined;
  /** False refuses a taken port in place of choosing another. */
  readonly anyPort?: boolean;
  readonly progress?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Called as soon as the program runs, before it answers. */
  readonly onSpawn?: (child: GuardedChild) => Promise<void>;
  /** False gives up durability against a power cut: for tests. */
  readonly durable?: boolean;
}

export interface PostgresServer {
  readonly port: number;
  /** Superuser URL of a database of this server. */
  url(database: string): string;
  readonly child: GuardedChild;
  close(): Promise<void>;
}

function settings(options: PostgresServerOptions, port: number): string[] {
  const values: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    max_connections: 200,
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_wal_size: '2GB',
    log_min_messages: 'warning',
    // The default keeps shared segments in /dev/shm, which has 64 MB in a container.
    dynamic_shared_memory_type: process.platform === 'linux' ? 'mmap' : 'posix',
    ...(options.durable === false
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('select 1');
    return true;
  } finally {
    await client.end();
  }
}

/** Starts the embedded Postgres over its own data folder, creating or mending that first; it ends with this process at the latest. */
export async function openPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const progress = options.progress ?? (() => {});
  const place = await postgresPlace(options.folder, progress);
  const cluster = await prepareCluster(place, progress, options.signal);
  await removeStaleServerLock(cluster.dataFolder);
  const [port] = (await freePorts([options.port], options.anyPort)) as [number];
  const url = (database: string): string =>
    `postgres://ingot:${cluster.password}@127.0.0.1:${port}/${database}`;
  const child = await startGuarded({
    name: 'Postgres',
    command: join(place.programs, 'postgres'),
    args: ['-D', cluster.dataFolder, ...settings(options, port)],
    env: { ...process.env, LC_ALL: 'C' },
    folder: place.folder,
    logFile: join(options.folder, 'postgres.log'),
    stopSignal: 'INT',
    graceMs: 15_000,
    ...(place.user === null ? {} : { user: place.user }),
  });
  await options.onSpawn?.(child);
  await waitUntilReady(child, () => answers(url('postgres')), 60_000, options.signal);
  return { port, url, child, close: () => child.stop() };
}
