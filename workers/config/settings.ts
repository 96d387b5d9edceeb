import { availableParallelism, totalmem } from 'node:os';
import type { z } from 'zod';
import { everyQueue, isQueueName } from '../../dag/queues.ts';
import { awsSettings } from './aws-settings.ts';
import { bytes, choice, gib, list, secret, text, whole, type Setting } from './setting-types.ts';

/** A quarter of what this machine, or its container, has; 1.5 GiB at most. */
export function defaultMemoryLimit(): number {
  const limit = process.constrainedMemory();
  const memory = limit > 0 && limit < totalmem() ? limit : totalmem();
  return Math.max(256 * 1024 ** 2, Math.min(1.5 * gib, Math.floor(memory / 4)));
}

export const settings = {
  home: {
    key: 'home',
    env: 'INGOT_HOME',
    flag: 'home',
    type: text,
    path: true,
    about: 'folder of the embedded stack: databases, lake, logs',
  },
  engine: {
    key: 'engine',
    env: 'INGOT_ENGINE',
    type: choice(['embedded', 'aws']),
    about: 'where the work is done',
  },
  lake: {
    key: 'lake.folder',
    env: 'INGOT_LAKE',
    type: text,
    path: true,
    about: 'folder of the lake’s files',
  },
  memoryLimitBytes: {
    key: 'sql.memory_limit',
    env: 'INGOT_MEMORY_LIMIT',
    flag: 'memory-limit',
    type: bytes,
    unit: 'bytes',
    about: 'memory DuckDB may use before it spills to disk',
  },
  spillFolder: {
    key: 'sql.spill_folder',
    env: 'INGOT_SPILL_FOLDER',
    type: text,
    path: true,
    about: 'folder for what does not fit into memory',
  },
  threads: {
    key: 'sql.threads',
    env: 'INGOT_THREADS',
    flag: 'threads',
    type: whole(1, 1024),
    about: 'threads of DuckDB',
  },
  enginePreference: {
    key: 'sql.engine',
    env: 'INGOT_SQL_ENGINE',
    type: choice(['auto', 'duckdb', 'spark']),
    about:
      'where models compute that do not say: in the worker, on the cluster, or by the size of their inputs',
  },
  sparkFromBytes: {
    key: 'sql.spark_from',
    env: 'INGOT_SPARK_FROM',
    type: bytes,
    unit: 'bytes',
    about: 'size of the inputs from which `auto` takes the cluster',
  },
  httpfs: {
    key: 'sql.httpfs',
    env: 'INGOT_HTTPFS',
    type: text,
    path: true,
    about: 'file of DuckDB’s httpfs extension, where it cannot be installed from its own repository',
  },
  ...awsSettings,
  runDays: {
    key: 'retention.run_days',
    env: 'INGOT_RUN_DAYS',
    type: whole(1, 3650),
    about: 'days the embedded Temporal server keeps closed runs',
  },
  versionHours: {
    key: 'retention.version_hours',
    env: 'INGOT_VERSION_HOURS',
    type: whole(1, 87_600),
    about: 'hours `lake vacuum` leaves replaced versions to their readers',
  },
  logDays: {
    key: 'retention.log_days',
    env: 'INGOT_LOG_DAYS',
    type: whole(1, 3650),
    about: 'days `lake vacuum` keeps what tasks logged',
  },
  eventDays: {
    key: 'retention.event_days',
    env: 'INGOT_EVENT_DAYS',
    type: whole(1, 36_500),
    about: 'days `lake vacuum` keeps events of assets that have been dealt with',
  },
  webhook: {
    key: 'notify.webhook',
    env: 'INGOT_WEBHOOK',
    type: secret,
    about: 'URL that receives notifications as JSON',
  },
  smtp: {
    key: 'notify.smtp.url',
    env: 'INGOT_SMTP_URL',
    type: secret,
    about: 'mail server that sends notifications, such as smtps://user:password@mail.example:465',
  },
  smtpFrom: {
    key: 'notify.smtp.from',
    env: 'INGOT_SMTP_FROM',
    type: text,
    about: 'sender of the mails',
  },
  smtpTo: {
    key: 'notify.smtp.to',
    env: 'INGOT_SMTP_TO',
    type: list,
    about: 'who gets the mails',
  },
  alertHours: {
    key: 'notify.retry_hours',
    env: 'INGOT_NOTIFY_RETRY_HOURS',
    type: whole(1, 168),
    about: 'hours an alert is tried to deliver',
  },
  dags: {
    key: 'dags',
    env: 'INGOT_DAGS',
    flag: 'dags',
    type: list,
    path: true,
    about: 'modules of your own that export `dags`, beside the shipped pipelines',
  },
  logLevel: {
    key: 'log.level',
    env: 'INGOT_LOG_LEVEL',
    flag: 'log-level',
    type: choice(['debug', 'info', 'warn', 'error']),
    about: 'least severe line the worker logs',
  },
  temporalProfile: {
    key: 'temporal.profile',
    env: 'TEMPORAL_PROFILE',
    type: text,
    about: 'profile of Temporal’s own configuration file to connect with',
  },
  temporalUi: {
    key: 'temporal.ui',
    env: 'INGOT_TEMPORAL_UI',
    type: text,
    about: 'address of the Temporal UI, for links',
  },
  queues: {
    key: 'worker.queues',
    env: 'INGOT_QUEUES',
    type: list.refine(
      (names) => names.length > 0 && names.every((name) => name === everyQueue || isQueueName(name)),
      {
        error: 'names of queues, such as "default,gpu", or "*" for all that the DAGs name',
      },
    ),
    about: 'queues a worker takes tasks from',
  },
  deployment: {
    key: 'worker.deployment',
    env: 'INGOT_DEPLOYMENT',
    type: text.refine((name) => isQueueName(name), { error: 'a name of letters, digits, _ and -' }),
    about: 'Temporal Worker Deployment the workers are versions of: runs end on the code that began them',
  },
  drainSeconds: {
    key: 'worker.drain_seconds',
    env: 'INGOT_DRAIN_SECONDS',
    type: whole(0, 86_400),
    about: 'seconds that attempts may go on after a worker was told to stop',
  },
  taskQueue: {
    key: 'temporal.task_queue',
    env: 'INGOT_TASK_QUEUE',
    type: text,
    about: 'task queue of the workers',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;
export type SettingValue<Name extends SettingName> = z.output<(typeof settings)[Name]['type']>;

/** Databases a pipeline knows by name; more of them may be named in the file. */
export const wellKnownConnections = ['ledger', 'warehouse', 'operational'] as const;

export function connectionSetting(name: string): Setting {
  return {
    key: `connections.${name}.url`,
    env: `INGOT_${name.toUpperCase()}_URL`,
    type: secret,
    about: `URL of the ${name} database`,
  };
}

export function caSetting(name: string): Setting<string> {
  return {
    key: `connections.${name}.ca`,
    env: `INGOT_${name.toUpperCase()}_CA`,
    type: text,
    path: true,
    about: `file of the authorities (PEM) that vouch for the ${name} database`,
  };
}

export function authSetting(name: string): Setting<'password' | 'iam'> {
  return {
    key: `connections.${name}.auth`,
    env: `INGOT_${name.toUpperCase()}_AUTH`,
    type: choice(['password', 'iam']),
    about: `how to sign in to the ${name} database`,
  };
}

export function defaultThreads(): number {
  return availableParallelism();
}
