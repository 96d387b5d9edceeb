import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { cacheFolder } from '../../workers/stack/temporal-binary.ts';
import { Athena } from './bridge/athena.ts';
import { openBridge } from './bridge/bridge.ts';
import { emulatorCalls } from './bridge/emulator-calls.ts';
import { openCountedReads } from './bridge/counted-reads.ts';
import { GlueCrawlers } from './bridge/glue-crawlers.ts';
import { GluePartitions } from './bridge/glue-partitions.ts';
import { Holds } from './bridge/holds.ts';
import { openLakeReader } from './bridge/lake-reader.ts';
import { GlueJobRuns } from './bridge/glue-job-runs.ts';
import { GlueJobs } from './bridge/glue-jobs.ts';
import { awsEnvironment } from './clients.ts';
import { openEmulator } from './emulator.ts';
import { javaJars } from './java-jars.ts';
import { NoTestBedError } from './needed-program.ts';
import { pythonEnvironment } from './python-environment.ts';
import { openWarmSpark } from './spark/warm-spark.ts';

/** What a test needs to know of the AWS test bed. */
export interface AwsBed {
  /** Stands for every service of AWS. */
  readonly endpoint: string;
  readonly region: string;
  /** DuckDB's httpfs extension file. */
  readonly httpfs: string;
  /** Interpreter with PySpark, boto3 and pytest. */
  readonly python: string;
}

export interface OpenBed {
  /** Null where this machine cannot have one. */
  readonly bed: AwsBed | null;
  /** Why there is none; empty when there is one. */
  readonly reason: string;
  close(): Promise<void>;
}

/** Something that is opened by the first who needs it, at most once, and closed if it was opened. */
function lazy<T extends { close(): Promise<void> }>(open: () => Promise<T>) {
  let opened: Promise<T> | null = null;
  return {
    get: (): Promise<T> => (opened ??= open()),
    close: async (): Promise<void> =>
      await opened?.then(
        (it) => it.close(),
        () => {},
      ),
  };
}

/** Everything is started by the first call: a run of tests without AWS pays for a port only. */
export async function openTestBed(folder: string, progress: (line: string) => void): Promise<OpenBed> {
  const cache = join(cacheFolder(process.env), 'aws-tests');
  const { python, httpfs } = await pythonEnvironment(cache, progress);
  const jars = await javaJars(cache, progress);
  const token = randomUUID();
  const emulator = lazy(() => openEmulator({ python, folder: join(folder, 'ministack'), token }));
  const emulatorPort = async (): Promise<number> => (await emulator.get()).port;
  const calls = emulatorCalls(emulatorPort);
  const spark = lazy(async () =>
    openWarmSpark({
      python,
      jars,
      folder: join(folder, 'spark'),
      emulatorPort: await emulatorPort(),
      env: awsEnvironment(bed),
    }),
  );
  const jobs = new GlueJobs();
  const runs = new GlueJobRuns({
    jobs,
    emulator: calls,
    spark: spark.get,
    python,
    folder: join(folder, 'job-runs'),
    token,
  });
  const reads = lazy(async () => openCountedReads(await emulatorPort()));
  const openReader = async (accessKey: string) => openLakeReader(httpfs, await reads.get(), accessKey);
  const holds = new Holds();
  const partitions = new GluePartitions(calls);
  const crawlers = new GlueCrawlers({ emulator: calls, partitions, holds, openReader });
  const athena = new Athena({ emulator: calls, partitions, holds, openReader });
  const bridge = await openBridge({
    emulatorPort,
    handlers: {
      ...jobs.handlers,
      ...runs.handlers,
      ...partitions.handlers,
      ...crawlers.handlers,
      ...athena.handlers,
    },
    controls: { ...runs.controls, ...holds.controls },
  });
  const bed: AwsBed = { endpoint: bridge.endpoint, region: 'us-east-1', httpfs, python };
  return {
    bed,
    reason: '',
    close: async () => {
      await bridge.close();
      await Promise.all([runs.close(), crawlers.close(), athena.close()]);
      await reads.close();
      calls.s3.destroy();
      await Promise.all([spark.close(), emulator.close()]);
    },
  };
}

/** The test bed, or none with its reason, said once; with CI=true none is an error. */
export async function openTestBedIfPossible(
  folder: string,
  progress: (line: string) => void,
): Promise<OpenBed> {
  try {
    return await openTestBed(folder, progress);
  } catch (error) {
    if (!(error instanceof NoTestBedError) || process.env['CI'] === 'true') throw error;
    const reason = `No AWS test bed on this machine: ${error.message}.`;
    progress(`${reason}\nThe tests against AWS are skipped. With CI=true this is an error.`);
    return { bed: null, reason, close: async () => {} };
  }
}
