import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';
import pino from 'pino';
import { defaultAlertRetry } from '../activities/alert-steps.ts';
import { reconcileBackfills } from './backfill-reconciler.ts';
import { buildId } from './build-id.ts';
import type { Config } from './config.ts';
import { temporalConnectOptions } from './config/temporal.ts';
import { loadDefinitions } from './definitions.ts';
import { linkedNotifier } from './linked-notifier.ts';
import { openPorts, type OpenedPorts } from './open-ports.ts';
import { reconcileRuns } from './reconciler.ts';
import { runAlerts } from './run-alerts.ts';
import { cacheFolder } from './stack/temporal-binary.ts';
import { openWorker } from './worker.ts';
import { join } from 'node:path';

type Log = pino.Logger;

/** How long a run that ended without saying so may look open. */
const reconcileEveryMs = 30_000;

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

async function reconcileUntil(
  signal: AbortSignal,
  client: Client,
  ports: OpenedPorts,
  taskQueue: string,
  log: Log,
): Promise<void> {
  const alerts = runAlerts({ ledger: ports.ledger, client, taskQueue });
  while (!signal.aborted) {
    try {
      for (const { run, outcome, execution } of await reconcileRuns({
        ledger: ports.ledger,
        client,
        tell: alerts.failed,
      }))
        log.warn(
          { run: run.runId, workflowId: run.workflowId, outcome, execution },
          'closed a run that had ended without saying so',
        );
      for (const { backfill, outcome, execution } of await reconcileBackfills({
        ledger: ports.ledger,
        client,
      }))
        log.warn(
          { backfill: backfill.backfillId, workflowId: backfill.workflowId, outcome, execution },
          'closed a backfill that had ended without saying so',
        );
      await alerts.replaced();
    } catch (error) {
      log.warn(
        { error: error instanceof Error ? error.message : String(error) },
        'could not look for runs that ended without saying so',
      );
    }
    await delay(reconcileEveryMs, undefined, { signal }).catch(() => {});
  }
}

/** Works until `signal` is aborted; then lets what is under way end. `onReady` is called once it takes work. */
export async function serveWorker(
  config: Config,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onReady: () => Promise<void>,
  drainMs?: number,
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
      alertRetry: { ...defaultAlertRetry, forMs: config.alertHours * 3_600_000 },
      ...(drainMs === undefined ? {} : { drainMs }),
    });
    signal.addEventListener('abort', () => worker.shutdown(), { once: true });
    if (signal.aborted) worker.shutdown();
    const running = worker.run();
    const reconciling = reconcileUntil(
      stop.signal,
      new Client({ connection, namespace }),
      ports,
      config.taskQueue,
      log,
    );
    await onReady();
    log.info({ dags: [...definitions.keys()], taskQueue: config.taskQueue }, 'taking work');
    await running.finally(() => stop.abort());
    await reconciling;
  } finally {
    stop.abort();
    await connection.close();
    await ports.close();
  }
}
