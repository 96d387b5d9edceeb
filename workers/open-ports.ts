import type { Ports } from '../activities/task-context.ts';
import {
  allNotifiers,
  logNotifier,
  webhookNotifier,
  type NotificationLog,
} from '../engines/notify/notifier.ts';
import { smtpNotifier } from '../engines/notify/smtp.ts';
import { openPostgresLedger } from '../engines/postgres/ledger.ts';
import { openPostgresWarehouse } from '../engines/postgres/warehouse.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { QueryService } from '../ports/query-service.ts';
import { openMetrics, openSns } from './aws-watching.ts';
import type { Config } from './config.ts';
import { managedSecrets, resolveSecret, type SecretReference } from './config/secret.ts';
import { databaseAccess } from './database-access.ts';
import { duckDbOptions, openLake, type Lake } from './open-lake.ts';

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

/** Opens the adapters the configuration chooses. Secrets are resolved here, and go no further than the adapters. */
export async function openReaders(config: Config, env: NodeJS.ProcessEnv): Promise<Readers> {
  const lake = await openLake(config, env);
  return openReadersOf(lake, config, env);
}

async function openReadersOf(lake: Lake, config: Config, env: NodeJS.ProcessEnv): Promise<Readers> {
  const resources = new AsyncDisposableStack();
  try {
    resources.defer(() => lake.close());
    const ledger = await openPostgresLedger(await databaseAccess(config, env, 'ledger'));
    resources.defer(() => ledger.close());
    const catalog = await lake.openCatalog(ledger);
    if (catalog !== null) resources.defer(() => catalog.close());
    const warehouses = openedOnce(async (name) =>
      openPostgresWarehouse(await databaseAccess(config, env, name)),
    );
    resources.defer(() => warehouses.close());
    const services = openedOnce(() => lake.openQueries(ledger));
    resources.defer(() => services.close());
    return {
      objects: lake.objects,
      ledger,
      ...(catalog === null ? {} : { catalog }),
      warehouse: warehouses.get,
      queries: () => services.get('lake'),
      close: () => resources.disposeAsync(),
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

async function openNotifier(config: Config, env: NodeJS.ProcessEnv, log: NotificationLog): Promise<Notifier> {
  const secret = async (reference: SecretReference, what: string): Promise<string> =>
    resolveSecret(reference, env, what, managedSecrets(config.region));
  const { webhook, smtp } = config;
  const sns = await openSns(config);
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
    ...(sns === null ? {} : { sns }),
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
  const resources = new AsyncDisposableStack();
  try {
    const lake = await openLake(config, env);
    const readers = await openReadersOf(lake, config, env);
    resources.defer(() => readers.close());
    const { objects, s3 } = lake;
    const sql = await openDuckDbSqlEngine({
      objects,
      ...duckDbOptions(config),
      ...(s3 === undefined ? {} : { s3 }),
    });
    resources.defer(() => sql.close());
    const elsewhere = await lake.openElsewhere();
    resources.defer(() => elsewhere.close());
    const metrics = await openMetrics(config, log);
    resources.defer(async () => metrics?.close());
    return {
      ...readers,
      ...elsewhere,
      notifier,
      ...(metrics === null ? {} : { metrics }),
      sql,
      close: () => resources.disposeAsync(),
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}
