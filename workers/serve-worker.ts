import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';
import pino from 'pino';
import { defaultAlertRetry } from '../activities/alert-steps.ts';
import { workerBuild } from './build-id.ts';
import type { Config } from './config.ts';
import { temporalConnectOptions } from './config/temporal.ts';
import { loadDefinitions } from './definitions.ts';
import { keepHouse } from './housekeeping.ts';
import { linkedNotifier } from './linked-notifier.ts';
import { openPorts } from './open-ports.ts';
import { cacheFolder } from './stack/temporal-binary.ts';
import { openWorker } from './worker.ts';

type Log = pino.Logger;

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
  const build = await workerBuild(env, config.dags);
  const stop = new AbortController();
  const connection = await Connection.connect(connectionOptions as Parameters<typeof Connection.connect>[0]);
  try {
    const worker = await openWorker({
      connection: connectionOptions,
      namespace,
      taskQueue: config.taskQueue,
      definitions,
      ports,
      build,
      cacheFolder: join(cacheFolder(env), 'workflows'),
      queues: config.queues,
      deployment: config.deployment,
      drainMs: config.drainSeconds * 1000,
      alertRetry: { ...defaultAlertRetry, forMs: config.alertHours * 3_600_000 },
    });
    const drain = (): void => {
      log.info({ drainSeconds: config.drainSeconds }, 'takes no more work; what is under way may end');
      worker.shutdown();
    };
    signal.addEventListener('abort', drain, { once: true });
    if (signal.aborted) drain();
    const running = worker.run();
    const keeping = keepHouse(stop.signal, {
      ledger: ports.ledger,
      client: new Client({ connection, namespace }),
      taskQueue: config.taskQueue,
      log,
      ...(ports.catalog === undefined ? {} : { catalog: ports.catalog }),
    });
    await onReady();
    log.info(
      { build, dags: [...definitions.keys()], taskQueue: config.taskQueue, queues: config.queues },
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
