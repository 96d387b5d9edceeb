import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flagsAsEnvironment, loadConfig, type Config } from '../../workers/config.ts';
import { resolveSecret } from '../../workers/config/secret.ts';
import { temporalIsGiven } from '../../workers/config/temporal-given.ts';
import { temporalConnectOptions } from '../../workers/config/temporal.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-config-'));
  writeFileSync(join(folder, 'package.json'), '{}');
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(
  options: { file?: string; env?: NodeJS.ProcessEnv; flags?: Record<string, string> } = {},
): Config {
  if (options.file !== undefined) writeFileSync(join(folder, 'ingot.toml'), options.file);
  return loadConfig({ flags: options.flags ?? {}, env: options.env ?? {}, folder });
}

function effective(config: Config, key: string) {
  return config.effective.find((setting) => setting.key === key);
}

test('without any configuration the stack lives in .ingot of the project', () => {
  const config = load();
  expect(config).toMatchObject({
    home: join(folder, '.ingot'),
    lake: join(folder, '.ingot', 'lake'),
    spillFolder: join(folder, '.ingot', 'spill'),
    engine: 'embedded',
    logLevel: 'info',
    runDays: 30,
    connections: {},
    webhook: null,
    file: null,
  });
  expect(config.memoryLimitBytes).toBeLessThanOrEqual(1.5 * 1024 ** 3);
});

test('a flag goes before the environment, which goes before the file, which goes before the default', () => {
  const file = '[log]\nlevel = "error"\n[sql]\nthreads = 3\nmemory_limit = "900 MB"\n';
  const config = load({
    file,
    env: { INGOT_THREADS: '5', INGOT_LOG_LEVEL: 'warn' },
    flags: { 'log-level': 'debug' },
  });
  expect(config).toMatchObject({
    logLevel: 'debug',
    threads: 5,
    memoryLimitBytes: 900_000_000,
    versionHours: 72,
  });
  expect(effective(config, 'log.level')?.origin).toBe('--log-level');
  expect(effective(config, 'sql.threads')?.origin).toBe('INGOT_THREADS');
  expect(effective(config, 'sql.memory_limit')?.origin).toBe(
    `${join(folder, 'ingot.toml')} (sql.memory_limit)`,
  );
  expect(effective(config, 'retention.version_hours')?.origin).toBe('default');
});

test('relative paths in the file are relative to the file, elsewhere to the working folder', () => {
  const inner = join(folder, 'inner');
  writeFileSync(join(folder, 'ingot.toml'), '[lake]\nfolder = "data"\n');
  const config = loadConfig({
    flags: {},
    env: { INGOT_HOME: 'h', INGOT_DAGS: 'a.ts, ../b.ts' },
    folder: inner,
  });
  expect(config).toMatchObject({
    lake: join(folder, 'data'),
    home: join(inner, 'h'),
    dags: [join(inner, 'a.ts'), join(folder, 'b.ts')],
  });
});

test('all problems are reported at once, each with its place', () => {
  const file = '[sql]\nthreads = 0\nmemmory_limit = "1GiB"\n[log]\nlevel = "loud"\n';
  const env = {
    INGOT_MEMORY_LIMIT: 'much',
    INGOT_WAREHOUSE_URL: 'hunter2',
    INGOT_LOG_LEVL: 'debug',
    INGOT_SOMETHING_ELSE: '1',
  };
  const error = (() => {
    try {
      return load({ file, env });
    } catch (thrown) {
      return thrown as Error;
    }
  })();
  const place = join(folder, 'ingot.toml');
  expect((error as Error).message).toContain('found 6 problems');
  for (const line of [
    `${place} (sql.threads): expected a whole number from 1 to 1024; found 0`,
    `${place} (sql.memmory_limit): expected a setting; found an unknown name; did you mean sql.memory_limit?`,
    `${place} (log.level): expected one of debug, info, warn, error; found "loud"`,
    'INGOT_MEMORY_LIMIT: expected a size of at least 64 MiB, such as "1.5GiB" or "800 MB"; found "much"',
    'INGOT_WAREHOUSE_URL: expected a URL, "env:NAME", "file:/path" or "secretsmanager:<name>"; found "•••"',
    'INGOT_LOG_LEVL: expected a setting; found an unknown variable; did you mean INGOT_LOG_LEVEL?',
  ])
    expect((error as Error).message).toContain(line);
  expect((error as Error).message).not.toContain('hunter2');
});

test('a file that is not TOML, and a named file that is not there, are problems with their place', () => {
  expect(() => load({ file: 'log = [\n' })).toThrow(/ingot\.toml:\d+:\d+: expected TOML/);
  expect(() => load({ env: { INGOT_CONFIG: 'nowhere.toml' } })).toThrow(
    /nowhere\.toml: expected the configuration file named by INGOT_CONFIG; found no such file/,
  );
});

test('secrets are kept as references, and shown without what is secret in them', async () => {
  const file = [
    '[connections.warehouse]',
    'url_env = "SHOP_URL"',
    '[connections.operational]',
    'url = "file:/run/secrets/shop"',
    '[connections.reporting]',
    'url = "postgres://ann:hunter2@db.example:5433/reports?password=hunter3"',
    '[notify]',
    'webhook = "https://hooks.example/services/T00/hunter4"',
  ].join('\n');
  const managed = 'secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:rds!db-1-Ab#password';
  const config = load({ file, env: { INGOT_LEDGER_URL: managed } });
  expect(config.connections['warehouse']).toEqual({ in: 'environment', name: 'SHOP_URL' });
  expect(config.connections['ledger']).toEqual({
    in: 'secretsmanager',
    id: 'arn:aws:secretsmanager:eu-west-1:1:secret:rds!db-1-Ab',
    key: 'password',
  });
  const printed = JSON.stringify(config.effective);
  expect(printed).not.toContain('hunter');
  expect(effective(config, 'connections.reporting.url')?.value).toBe(
    'postgres://ann:•••@db.example:5433/reports?•••',
  );
  expect(effective(config, 'connections.operational.url')?.value).toBe('file:/run/secrets/shop');
  expect(effective(config, 'connections.warehouse.url')?.value).toBe('env:SHOP_URL');
  expect(effective(config, 'connections.ledger.url')?.value).toBe(managed);
  expect(effective(config, 'notify.webhook')?.value).toBe('https://hooks.example/•••');
  expect(await resolveSecret(config.connections['warehouse']!, { SHOP_URL: 'postgres://x' }, 'the URL')).toBe(
    'postgres://x',
  );
});

test('a secret is read where it is referred to, and its absence is said with the place', async () => {
  const path = join(folder, 'secret');
  writeFileSync(path, 'postgres://from-file\n');
  expect(await resolveSecret({ in: 'file', path }, {}, 'the URL')).toBe('postgres://from-file');
  await expect(resolveSecret({ in: 'file', path: `${path}-not` }, {}, 'the URL of x')).rejects.toThrow(
    /secret-not to hold the URL of x; found ENOENT/,
  );
  await expect(resolveSecret({ in: 'environment', name: 'GONE' }, {}, 'the URL of x')).rejects.toThrow(
    /variable GONE to hold the URL of x; found it is not set/,
  );
});

test('flags reach a child process as environment, with absolute paths', () => {
  expect(
    flagsAsEnvironment({
      flags: { home: 'h', dags: 'a.ts,b.ts', config: 'c.toml', threads: '2' },
      env: {},
      folder: '/project',
    }),
  ).toEqual({
    INGOT_HOME: '/project/h',
    INGOT_DAGS: '/project/a.ts,/project/b.ts',
    INGOT_CONFIG: '/project/c.toml',
    INGOT_THREADS: '2',
  });
});

test('the mere existence of a Temporal configuration file does not send runs to the server it names', () => {
  expect(temporalIsGiven({}, null)).toBe(false);
  expect(temporalIsGiven({ TEMPORAL_ADDRESS: 'localhost:7233' }, null)).toBe(true);
  expect(temporalIsGiven({}, 'cloud')).toBe(true);
});

test('Temporal connects by its own environment and by a profile of its own file', () => {
  expect(temporalConnectOptions({ TEMPORAL_ADDRESS: 'here:1', TEMPORAL_NAMESPACE: 'n' }, null)).toMatchObject(
    { namespace: 'n', connectionOptions: { address: 'here:1' } },
  );
  const file = join(folder, 'temporal.toml');
  writeFileSync(file, '[profile.cloud]\naddress = "cloud:7233"\nnamespace = "shop"\napi_key = "k"\n');
  expect(temporalConnectOptions({ TEMPORAL_CONFIG_FILE: file }, 'cloud')).toMatchObject({
    namespace: 'shop',
    connectionOptions: { address: 'cloud:7233', apiKey: 'k', tls: true },
  });
  expect(() => temporalConnectOptions({ TEMPORAL_CONFIG_FILE: file }, 'moon')).toThrow(
    /expected the profile moon/,
  );
});

test('a mail server needs a sender and somebody to send to, and its password is not shown', () => {
  const file = '[notify.smtp]\nurl = "smtps://ingot:hunter5@mail.example:465"\n';
  expect(() => load({ file })).toThrow(
    'expected notify.smtp.from and notify.smtp.to beside it; found no sender',
  );
  expect(() => load({ file: `${file}from = "a@example.com"` })).toThrow('nobody to send to');
  const config = load({ file: `${file}from = "a@example.com"\nto = ["b@example.com", "c@example.com"]` });
  expect(config).toMatchObject({ smtpFrom: 'a@example.com', smtpTo: ['b@example.com', 'c@example.com'] });
  expect(effective(config, 'notify.smtp.url')?.value).toBe('smtps://ingot:•••@mail.example:465');
  expect(JSON.stringify(config.effective)).not.toContain('hunter5');
});
