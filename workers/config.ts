import { join, resolve } from 'node:path';
import { defaultQueue } from '../dag/queues.ts';
import { TerminalError } from '../ports/errors.ts';
import { maskSecret, type SecretReference } from './config/secret.ts';
import {
  authSetting,
  caSetting,
  connectionSetting,
  defaultMemoryLimit,
  defaultThreads,
  settings,
  type SettingName,
  type SettingValue,
} from './config/settings.ts';
import { sizeText, type Setting } from './config/setting-types.ts';
import {
  connectionNames,
  given,
  givenConnection,
  projectFolder,
  readConfigFile,
  unknownNames,
  type ConfigFile,
  type ConfigInputs,
} from './config/sources.ts';

export type { ConfigInputs } from './config/sources.ts';
export type { SecretReference } from './config/secret.ts';

/** How a database proves itself, and how one signs in to it. */
export interface SignIn {
  /** File of the authorities (PEM) that may vouch for the server. */
  readonly ca: string | null;
  readonly auth: 'password' | 'iam';
}

/** Everything that can be chosen without touching code. Secrets are references, never values. */
export interface Config {
  readonly home: string;
  readonly engine: 'embedded' | 'aws';
  /** Where models compute that do not say. */
  readonly enginePreference: 'auto' | 'duckdb' | 'spark';
  readonly sparkFromBytes: number;
  readonly httpfs: string | null;
  /** Given when `engine` is aws. */
  readonly bucket: string | null;
  readonly keyPrefix: string;
  readonly region: string | null;
  readonly kmsKey: string | null;
  readonly glueRole: string | null;
  readonly glueJob: string;
  readonly glueWorkerType: string;
  readonly glueWorkers: number;
  readonly glueConcurrency: number;
  readonly databasePrefix: string | null;
  readonly workgroup: string;
  readonly maxScannedBytes: number;
  readonly topicPrefix: string | null;
  readonly queueUrl: string | null;
  readonly metricsNamespace: string | null;
  readonly lake: string;
  readonly memoryLimitBytes: number;
  readonly spillFolder: string;
  readonly threads: number;
  readonly runDays: number;
  readonly versionHours: number;
  readonly logDays: number;
  readonly eventDays: number;
  readonly webhook: SecretReference | null;
  readonly smtp: SecretReference | null;
  /** Given whenever `smtp` is. */
  readonly smtpFrom: string | null;
  readonly smtpTo: readonly string[];
  readonly alertHours: number;
  /** Modules that export `dags`, beside the shipped pipelines. */
  readonly dags: readonly string[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly temporalProfile: string | null;
  readonly temporalUi: string | null;
  readonly taskQueue: string;
  readonly queues: readonly string[];
  readonly drainSeconds: number;
  /** Null without Worker Versioning. */
  readonly deployment: string | null;
  /** Named databases; `ledger` and `warehouse` are the embedded Postgres's when absent. */
  readonly connections: Readonly<Record<string, SecretReference>>;
  /** By name, where other than by the URL alone. */
  readonly signIn: Readonly<Record<string, SignIn>>;
  /** The file that was read, if any. */
  readonly file: string | null;
  /** One line per setting, as `ingot doctor` prints it: secrets masked, with where each value came from. */
  readonly effective: readonly EffectiveSetting[];
}

export interface EffectiveSetting {
  readonly key: string;
  readonly value: string;
  readonly origin: string;
  readonly about: string;
}

type Values = { -readonly [Name in SettingName]?: SettingValue<Name> };

class Reading {
  readonly problems: string[] = [];
  readonly effective: EffectiveSetting[] = [];
  readonly #inputs: ConfigInputs;
  readonly file: ConfigFile | null;

  constructor(inputs: ConfigInputs) {
    this.#inputs = inputs;
    this.file = readConfigFile(inputs, this.problems);
    this.problems.push(...unknownNames(inputs, this.file));
  }

  /** The value as given, or null when it is absent or wrong. */
  value<T>(
    setting: Setting<T>,
    from = given(setting, this.#inputs, this.file),
  ): { readonly value: T; readonly origin: string } | null {
    if (from === null) return null;
    const parsed = setting.type.safeParse(from.value);
    if (parsed.success) {
      const value = setting.path ? (absolute(from.base, parsed.data) as T) : parsed.data;
      return { value, origin: from.origin };
    }
    const expected = parsed.error.issues.map((issue) => issue.message).join('; ');
    this.problems.push(
      `${from.origin}: expected ${expected}; found ${JSON.stringify(shown(setting, from.value))}`,
    );
    return null;
  }

  origin(setting: Setting): string {
    return given(setting, this.#inputs, this.file)?.origin ?? setting.key;
  }

  connections(): Record<string, SecretReference> {
    const found: Record<string, SecretReference> = {};
    for (const name of connectionNames(this.file)) {
      const setting = connectionSetting(name) as Setting<SecretReference>;
      const read = this.value(setting, givenConnection(name, this.#inputs, this.file));
      if (read !== null) found[name] = read.value;
      this.note(setting, read, 'the embedded Postgres');
    }
    return found;
  }

  signIn(): Record<string, SignIn> {
    const found: Record<string, SignIn> = {};
    for (const name of connectionNames(this.file)) {
      const ca = this.value<string>(caSetting(name));
      const auth = this.value<SignIn['auth']>(authSetting(name));
      if (ca !== null || auth !== null)
        found[name] = { ca: ca?.value ?? null, auth: auth?.value ?? 'password' };
      if (ca !== null) this.note(caSetting(name), ca, null);
      if (auth !== null) this.note(authSetting(name), auth, null);
    }
    return found;
  }

  note(
    setting: Setting,
    read: { readonly value: unknown; readonly origin: string } | null,
    fallback: unknown,
  ): void {
    const found = read?.value ?? fallback;
    const value = setting.unit === 'bytes' ? sizeText(found as number) : printed(found);
    this.effective.push({ key: setting.key, value, origin: read?.origin ?? 'default', about: setting.about });
  }
}

/** A wrong value may be a secret that lost its scheme: shown only where it cannot be. */
function shown(setting: Setting, value: unknown): unknown {
  return setting.key.endsWith('.url') || setting.key === 'notify.webhook' ? '•••' : value;
}

function printed(value: unknown): string {
  if (value === null) return '–';
  if (Array.isArray(value)) return value.join(', ') || '–';
  if (typeof value === 'object') return maskSecret(value as SecretReference);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function absolute(base: string, paths: unknown): string | string[] {
  return Array.isArray(paths)
    ? paths.map((path: string) => resolve(base, path))
    : resolve(base, paths as string);
}

function fallbacks(home: string): { readonly [Name in SettingName]: SettingValue<Name> | null } {
  return {
    home,
    engine: 'embedded',
    enginePreference: 'auto',
    sparkFromBytes: 1024 ** 3,
    httpfs: null,
    bucket: null,
    keyPrefix: 'lake',
    region: null,
    kmsKey: null,
    glueRole: null,
    glueJob: 'ingot-sql',
    glueWorkerType: 'G.1X',
    glueWorkers: 10,
    glueConcurrency: 10,
    databasePrefix: null,
    workgroup: 'primary',
    maxScannedBytes: 100 * 1024 ** 3,
    topicPrefix: null,
    queueUrl: null,
    metricsNamespace: null,
    lake: join(home, 'lake'),
    memoryLimitBytes: defaultMemoryLimit(),
    spillFolder: join(home, 'spill'),
    threads: defaultThreads(),
    runDays: 30,
    versionHours: 72,
    logDays: 30,
    eventDays: 365,
    webhook: null,
    smtp: null,
    smtpFrom: null,
    smtpTo: [],
    alertHours: 24,
    dags: [],
    logLevel: 'info',
    temporalProfile: null,
    temporalUi: null,
    taskQueue: 'ingot',
    queues: [defaultQueue],
    drainSeconds: 10,
    deployment: null,
  };
}

/** The same flags as environment, for a process started from here. */
export function flagsAsEnvironment({ flags, folder }: ConfigInputs): Record<string, string> {
  const entries = Object.values<Setting>(settings).flatMap((setting) => {
    const value = setting.flag === undefined ? undefined : flags[setting.flag];
    if (value === undefined) return [];
    const path = setting.path
      ? value
          .split(',')
          .map((item) => resolve(folder, item.trim()))
          .join(',')
      : value;
    return [[setting.env, path] as const];
  });
  const file =
    flags['config'] === undefined ? [] : [['INGOT_CONFIG', resolve(folder, flags['config'])] as const];
  return Object.fromEntries([...entries, ...file]);
}

/** Flags before environment before file before defaults. Reports every problem at once, each with its place. */
export function loadConfig(inputs: ConfigInputs): Config {
  const reading = new Reading(inputs);
  const home = reading.value<string>(settings.home);
  const defaults = fallbacks(home?.value ?? join(projectFolder(inputs.folder), '.ingot'));
  const values: Values = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    const read = name === 'home' ? home : reading.value<unknown>(settings[name]);
    reading.note(settings[name], read, defaults[name]);
    Object.assign(values, { [name]: read?.value ?? defaults[name] });
  }
  const { smtp, smtpFrom, smtpTo } = values;
  if (smtp && (!smtpFrom || !smtpTo?.length))
    reading.problems.push(
      `${reading.origin(settings.smtp)}: expected notify.smtp.from and notify.smtp.to beside it; found ${smtpFrom ? 'nobody to send to' : 'no sender'}`,
    );
  if (values.engine === 'aws' && !values.bucket)
    reading.problems.push(
      `${reading.origin(settings.engine)}: expected aws.bucket beside engine aws; found no bucket to keep the lake in`,
    );
  const connections = reading.connections();
  const signIn = reading.signIn();
  if (reading.problems.length > 0)
    throw new TerminalError({
      expected: 'a valid configuration',
      found: `${reading.problems.length === 1 ? 'a problem' : `${reading.problems.length} problems`}:${reading.problems.map((line) => `\n  - ${line}`).join('')}\n`,
      remedy: 'Mend each where it is named; `ingot doctor` lists all settings.',
    });
  return {
    ...(values as Omit<Config, 'connections' | 'signIn' | 'file' | 'effective'>),
    connections,
    signIn,
    file: reading.file?.path ?? null,
    effective: reading.effective,
  };
}
