import type { Ports } from '../activities/task-context.ts';
import { openFilesystemObjectStore } from '../engines/filesystem/object-store.ts';
import {
  allNotifiers,
  logNotifier,
  webhookNotifier,
  type NotificationLog,
} from '../engines/notify/notifier.ts';
import type { TopicChoice } from '../engines/sns/topics.ts';
import { smtpNotifier } from '../engines/notify/smtp.ts';
import { openPostgresLedger } from '../engines/postgres/ledger.ts';
import { openPostgresWarehouse } from '../engines/postgres/warehouse.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { QueryService } from '../ports/query-service.ts';
import type { Config } from './config.ts';
import { resolveSecret, type SecretReference } from './config/secret.ts';
import { databaseAccess } from './database-access.ts';

/** What it takes to look at what is there. */
export interface Readers extends Pick<Ports, 'objects' | 'ledger' | 'warehouse' | 'catalog'> {
  /** Opened when first asked for. */
  queries(): Promise<QueryService>;
  close(): Promise<void>;
}

/** The ports of a worker. */
export interface OpenedPorts extends Ports {
  close(): Promise<void>;
}

interface Closable {
  close(): Promise<void>;
}

/** Opens each name once, when first asked for. One that could not be opened is tried again by the next who asks. */
function openedOnce<T extends Closable>(
  open: (name: string) => Promise<T>,
): Closable & { readonly get: (name: string) => Promise<T> } {
  const opened = new Map<string, Promise<T>>();
  return {
    get: (name) => {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const opening = open(name);
      opened.set(name, opening);
      opening.catch(() => opened.delete(name));
      return opening;
    },
    close: async () => {
      for (const outcome of await Promise.allSettled(opened.values()))
        if (outcome.status === 'fulfilled') await outcome.value.close();
    },
  };
}

function engineOptions(config: Config) {
  const { memoryLimitBytes, spillFolder, threads } = config;
  return { memoryLimitBytes, spillFolder, threads };
}

/** Opens the adapters the configuration chooses. Secrets are resolved here, and go no further than the adapters. */
export async function openReaders(config: Config, env: NodeJS.ProcessEnv): Promise<Readers> {
  const objects = await openFilesystemObjectStore(config.lake);
  const ledger = await openPostgresLedger(await databaseAccess(config, env, 'ledger'));
  const warehouses = openedOnce(async (name) =>
    openPostgresWarehouse(await databaseAccess(config, env, name)),
  );
  const services = openedOnce(async () => {
    const { openDuckDbQueryService } = await import('../engines/duckdb/query-service.ts');
    return openDuckDbQueryService({ objects, ledger, ...engineOptions(config) });
  });
  const close = async (): Promise<void> => {
    await Promise.all([services.close(), warehouses.close()]);
    await ledger.close();
  };
  return { objects, ledger, warehouse: warehouses.get, queries: () => services.get('lake'), close };
}

async function openNotifier(config: Config, env: NodeJS.ProcessEnv, log: NotificationLog): Promise<Notifier> {
  const secret = async (reference: SecretReference, what: string): Promise<string> =>
    resolveSecret(reference, env, what);
  const { webhook, smtp, snsTopics } = config;
  return allNotifiers({
    log: logNotifier(log),
    ...(webhook === null
      ? {}
      : { webhook: webhookNotifier({ url: await secret(webhook, 'the URL that receives notifications') }) }),
    ...(smtp === null
      ? {}
      : {
          email: smtpNotifier({
            url: await secret(smtp, 'the URL of the mail server'),
            from: config.smtpFrom!,
            to: config.smtpTo,
          }),
        }),
    ...(snsTopics === null ? {} : { sns: await openSns(snsTopics) }),
  });
}

async function openSns(topics: TopicChoice): Promise<Notifier> {
  const { snsNotifier } = await import('../engines/sns/notifier.ts');
  return snsNotifier({ topics });
}

async function openMetrics({ metrics }: Config, log: NotificationLog): Promise<Metrics | null> {
  if (metrics === 'none') return null;
  const { cloudWatchMetrics } = await import('../engines/cloudwatch/metrics.ts');
  return cloudWatchMetrics({
    dropped: (count, error) =>
      log('warning', 'measurements could not be delivered, and are dropped', { count, error: error.message }),
  });
}

/** Everything task bodies may use. */
export async function openPorts(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: NotificationLog,
): Promise<OpenedPorts> {
  const notifier = await openNotifier(config, env, log);
  const { openDuckDbSqlEngine } = await import('../engines/duckdb/sql-engine.ts');
  const readers = await openReaders(config, env);
  const { objects, ledger } = readers;
  try {
    const sql = await openDuckDbSqlEngine({ objects, ...engineOptions(config) });
    const metrics = await openMetrics(config, log);
    return {
      objects,
      ledger,
      notifier,
      ...(metrics === null ? {} : { metrics }),
      sql,
      warehouse: (connection) => readers.warehouse(connection),
      close: async () => {
        await metrics?.close();
        await sql.close();
        await readers.close();
      },
    };
  } catch (error) {
    await readers.close();
    throw error;
  }
}
