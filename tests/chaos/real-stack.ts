import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { intervalForDate } from '../../dag/interval.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { startRun } from '../../workers/client.ts';
import type { RunHandle } from '../../workers/client.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import type { StackRecord } from '../../workers/stack/home.ts';
import { openStack } from '../../workers/stack/stack.ts';

const ingot = fileURLToPath(new URL('../../cli/ingot.js', import.meta.url));

export type ProgramName = 'Worker' | 'Temporal' | 'Postgres';

export interface RealStackOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The whole stack in a home of its own: Temporal, Postgres and a worker as processes, started again when they end. */
export interface RealStack extends AsyncDisposable {
  readonly home: string;
  readonly lake: string;
  readonly ledger: Ledger;
  readonly client: Client;
  readonly location: (key: string) => string;
  warehouse(sql: string): Promise<(string | null)[][]>;
  start(dagId: string, date: string): Promise<RunHandle>;
  /** The process a program runs as at the moment. */
  pid(name: ProgramName): Promise<number>;
}

export async function openRealStack({
  env = {},
  say = () => {},
  signal,
}: RealStackOptions = {}): Promise<RealStack> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-stack-'));
  // As root, Postgres runs under another account, which must be able to reach its data.
  await chmod(folder, 0o755);
  const home = join(folder, 'home');
  const lake = join(home, 'lake');
  const cleanUp = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const stack = await openStack({
    home,
    env: { ...process.env, INGOT_HOME: home, ...env },
    parts: { temporal: true, postgres: true },
    retentionDays: 1,
    worker: [process.execPath, ingot, 'worker'],
    say,
    ...(signal === undefined ? {} : { signal }),
  }).catch(async (error: unknown) => {
    await cleanUp();
    throw error;
  });
  const definitions = await loadDefinitions();
  const connection = await Connection.connect({ address: stack.env['TEMPORAL_ADDRESS']! });
  const client = new Client({ connection });
  const ledger = await openPostgresLedger(stack.env['INGOT_LEDGER_URL']!);
  const objects = await openFilesystemObjectStore(lake);
  return {
    home,
    lake,
    ledger,
    client,
    location: (key) => objects.location(key),
    warehouse: (sql) => queryOnce(stack.env['INGOT_WAREHOUSE_URL']!, sql),
    start: (dagId, date) =>
      startRun(client, {
        taskQueue: 'ingot',
        dagId,
        interval: intervalForDate(definitions.get(dagId)!.plan, date),
        type: 'manual',
      }),
    pid: async (name) => {
      const record = JSON.parse(await readFile(join(home, 'stack.json'), 'utf8')) as StackRecord;
      return record.children.find((child) => child.name === name)!.program.pid;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([ledger.close(), connection.close()]);
      await stack.close({ force: true });
      await cleanUp();
    },
  };
}

async function queryOnce(url: string, sql: string): Promise<(string | null)[][]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<(string | null)[]>({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}
