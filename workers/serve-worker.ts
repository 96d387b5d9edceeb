import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';
import pino from 'pino';
import { reconcileBackfills } from './backfill-reconciler.ts';
import { buildId } from './build-id.ts';
import type { Config } from './config.ts';
import { temporalConnectOptions } from './config/temporal.ts';
import { loadDefinitions } from './definitions.ts';
import { linkedNotifier } from './linked-notifier.ts';
import { openPorts, type OpenedPorts } from './open-ports.ts';
import { keepPools } from './pool-keeper.ts';
import { reconcileRuns, type ReconciledRun } from './reconciler.ts';
import { cacheFolder } from './stack/temporal-binary.ts';
import { openWorker } from './worker.ts';
import { join } from 'node:path';

type Log = pino.Logger;

/** How long a run that ended without saying so may look open. */
const reconcileEveryMs = 30_000;
/** How long slots may stay with a run that ended, and a grant untold. */
const keepPoolsEveryMs = 15_000;

function installLogger(log: Log, level: Config['logLevel']): void {
  const levels: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
    TRACE: 'trace',
    DEBUG: 'debug',
    INFO: 'info',
    WARN: 'warn',
    ERROR: 'error',
  };
  const logger = new DefaultLogger(level.toUpperCase() as LogLevel, (entry) => {
    log[levels[entry.level]](entry.meta ?? {}, entry.message);
  });
  Runtime.install({ logger, shutdownSignals: [] });
}

/** One round after another; what one cannot do the next tries again. */
async function repeatUntil(
  signal: AbortSignal,
  everyMs: number,
  log: Log,
  complaint: string,
  round: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await round();
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.message : String(error) }, complaint);
    }
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}

function tellClosed(log: Log, closed: readonly ReconciledRun[]): void {
  for (const { run, outcome, execution } of closed)
    log.warn(
      { run: run.runId, workflowId: run.workflowId, outcome, execution },
      'closed a run that had ended without saying so',
    );
}

function reconcileUntil(
  signal: AbortSignal,
  client: Client,
  { ledger }: OpenedPorts,
  log: Log,
): Promise<void> {
  return repeatUntil(
    signal,
    reconcileEveryMs,
    log,
    'could not look for runs that ended without saying so',
    async () => {
      tellClosed(log, await reconcileRuns({ ledger, client }));
      for (const { backfill, outcome, execution } of await reconcileBackfills({ ledger, client }))
        log.warn(
          { backfill: backfill.backfillId, workflowId: backfill.workflowId, outcome, execution },
          'closed a backfill that had ended without saying so',
        );
    },
  );
}

function keepPoolsUntil(
  signal: AbortSignal,
  client: Client,
  { ledger }: OpenedPorts,
  log: Log,
): Promise<void> {
  return repeatUntil(signal, keepPoolsEveryMs, log, 'could not look at the pools', async () =>
    tellClosed(log, await keepPools({ ledger, client })),
  );
}

/** Works until `signal` is aborted; then lets what is under way end. `onReady` is called once it takes work. */
export async function serveWorker(
  config: Config,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onReady: () => Promise<void>,
): Promise<void> {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  installLogger(log, config.logLevel);
  const { namespace, connectionOptions } = temporalConnectOptions(env, config.temporalProfile);
  const definitions = await loadDefinitions(config.dags);
  const opened = await openPorts(config, env, (severity, message, fields) => {
    log[severity === 'warning' ? 'warn' : severity](fields, message);
  });
  const ports = { ...opened, notifier: linkedNotifier(opened.notifier, config.temporalUi, namespace) };
  const stop = new AbortController();
  const connection = await Connection.connect(connectionOptions as Parameters<typeof Connection.connect>[0]);
  try {
    const worker = await openWorker({
      connection: connectionOptions,
      namespace,
      taskQueue: config.taskQueue,
      definitions,
      ports,
      build: buildId(env),
      cacheFolder: join(cacheFolder(env), 'workflows'),
      queues: config.queues,
      deployment: config.deployment,
      drainMs: config.drainSeconds * 1000,
    });
    const drain = (): void => {
      log.info({ drainSeconds: config.drainSeconds }, 'takes no more work; what is under way may end');
      worker.shutdown();
    };
    signal.addEventListener('abort', drain, { once: true });
    if (signal.aborted) drain();
    const running = worker.run();
    const client = new Client({ connection, namespace });
    const keeping = Promise.all([
      reconcileUntil(stop.signal, client, ports, log),
      keepPoolsUntil(stop.signal, client, ports, log),
    ]);
    await onReady();
    log.info(
      { dags: [...definitions.keys()], taskQueue: config.taskQueue, queues: config.queues },
      'taking work',
    );
    const inOrder = await running.finally(() => stop.abort());
    await keeping;
    if (inOrder) log.info('everything under way has ended or was handed back');
    else log.warn('something under way did not end when told to; Temporal gives it to another worker');
  } finally {
    stop.abort();
    await connection.close();
    await ports.close();
  }
}
