import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startGuarded, type GuardedChild } from '../../../workers/stack/guarded-child.ts';
import { waitUntilReady } from '../../../workers/stack/wait-until.ts';

export interface WarmSpark {
  /** For a Python process that is to work on it. */
  readonly env: NodeJS.ProcessEnv;
  /** A file here, named by a script's run, says that it has ended. */
  readonly endedFolder: string;
  readonly hasExited: () => boolean;
  close(): Promise<void>;
}

export interface WarmSparkOptions {
  readonly python: string;
  readonly jars: string;
  readonly folder: string;
  readonly emulatorPort: number;
  readonly env: NodeJS.ProcessEnv;
}

function submitArguments({ jars, folder, emulatorPort }: WarmSparkOptions): string {
  const settings = {
    'spark.ui.enabled': 'false',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    // Short jobs end before the second compiler would have paid for itself.
    'spark.driver.extraJavaOptions': '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
    'spark.driver.extraClassPath': join(jars, '*'),
    'spark.local.dir': join(folder, 'local'),
    'spark.sql.warehouse.dir': join(folder, 'warehouse'),
    'spark.sql.session.timeZone': 'UTC',
    'spark.sql.shuffle.partitions': '4',
    'spark.hadoop.hadoop.tmp.dir': join(folder, 'hadoop'),
    // `s3://` is the scheme on Glue.
    'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
    'spark.hadoop.fs.s3a.endpoint': `http://127.0.0.1:${emulatorPort}`,
    'spark.hadoop.fs.s3a.endpoint.region': 'us-east-1',
    'spark.hadoop.fs.s3a.path.style.access': 'true',
    'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
    'spark.hadoop.fs.s3a.access.key': 'test',
    'spark.hadoop.fs.s3a.secret.key': 'test',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['--conf', `'${name}=${value}'`]);
  return ['--master local[2]', '--driver-memory 2g', ...flags, 'pyspark-shell'].join(' ');
}

async function addressIn(file: string): Promise<{ port: number; secret: string } | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as { port: number; secret: string });
}

function environment(options: WarmSparkOptions): NodeJS.ProcessEnv {
  return {
    ...options.env,
    PATH: process.env['PATH'],
    HOME: options.folder,
    TMPDIR: options.folder,
    TZ: 'UTC',
    PYTHONUNBUFFERED: '1',
    PYSPARK_PYTHON: options.python,
    ...(process.env['JAVA_HOME'] === undefined ? {} : { JAVA_HOME: process.env['JAVA_HOME'] }),
  };
}

async function startDriver(
  options: WarmSparkOptions,
  address: string,
  endedFolder: string,
): Promise<GuardedChild> {
  await rm(address, { force: true });
  return await startGuarded({
    name: 'Spark',
    command: options.python,
    args: [join(import.meta.dirname, 'warm_spark.py'), address, endedFolder],
    env: { ...environment(options), PYSPARK_SUBMIT_ARGS: submitArguments(options) },
    folder: options.folder,
    logFile: join(options.folder, 'spark.log'),
    stopSignal: 'TERM',
    graceMs: 3000,
  });
}

/** One Spark for a whole test run: a session of its own would cost each job 5 seconds or more. */
export async function openWarmSpark(options: WarmSparkOptions): Promise<WarmSpark> {
  const endedFolder = join(options.folder, 'ended');
  await mkdir(endedFolder, { recursive: true });
  const address = join(options.folder, 'address.json');
  const child = await startDriver(options, address, endedFolder);
  await waitUntilReady(child, async () => (await addressIn(address)) !== null, 120_000);
  const found = await addressIn(address);
  return {
    env: {
      ...environment(options),
      PYSPARK_GATEWAY_PORT: String(found?.port),
      PYSPARK_GATEWAY_SECRET: String(found?.secret),
    },
    endedFolder,
    hasExited: child.hasExited,
    close: () => child.stop(),
  };
}
