import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Runtime } from '@temporalio/worker';
import type { Ports } from '../../activities/task-context.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { migrate } from '../../migrations/migrate.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openPostgresServer } from '../../workers/stack/postgres-server.ts';
import { resolveTemporalBinary } from '../../workers/stack/temporal-binary.ts';
import { openTemporalServer } from '../../workers/stack/temporal-server.ts';
import { openWorker, type WorkerSettings } from '../../workers/worker.ts';

export interface BenchStack {
  readonly address: string;
  readonly client: Client;
  readonly ledger: Ledger;
}

const quiet = (): void => {};

/** Gives `measure` servers of their own with a worker of these DAGs on the task queue `ingot`, and ends them after it. */
export async function withStack(
  dags: Parameters<typeof compileDefinitions>[0],
  measure: (stack: BenchStack) => Promise<void>,
  worker: Pick<WorkerSettings, 'maxConcurrentTasks'> = {},
): Promise<void> {
  Runtime.install({
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error },
    shutdownSignals: [],
  });
  const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-'));
  await chmod(folder, 0o755);
  const binary = await resolveTemporalBinary({ env: process.env, progress: (line) => console.error(line) });
  const postgres = await openPostgresServer({ folder: join(folder, 'postgres') });
  const temporal = await openTemporalServer({
    binary: binary.path,
    folder: join(folder, 'temporal'),
    ui: false,
    retentionDays: 1,
  });
  try {
    const { address } = temporal;
    await migrate(postgres.url('postgres'));
    const ledger = await openPostgresLedger(postgres.url('postgres'));
    const opened = await openWorker({
      ...worker,
      connection: { address },
      namespace: 'default',
      taskQueue: 'ingot',
      definitions: compileDefinitions(dags),
      ports: { ledger } as Ports,
      build: 'bench',
      cacheFolder: join(folder, 'bundles'),
    });
    const running = opened.run();
    const connection = await Connection.connect({ address });
    await measure({ address, client: new Client({ connection }), ledger });
    opened.shutdown();
    await running;
    await connection.close();
    await ledger.close();
  } finally {
    await Promise.all([postgres.close(), temporal.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}
