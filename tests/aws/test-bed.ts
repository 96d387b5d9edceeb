import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { cacheFolder } from '../../workers/stack/temporal-binary.ts';
import { openBridge } from './bridge/bridge.ts';
import { openEmulator, type Emulator } from './emulator.ts';
import { javaJars } from './java-jars.ts';
import { NoTestBedError } from './needed-program.ts';
import { pythonEnvironment } from './python-environment.ts';

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

/** Everything is started by the first call: a run of tests without AWS pays for a port only. */
export async function openTestBed(folder: string, progress: (line: string) => void): Promise<OpenBed> {
  const cache = join(cacheFolder(process.env), 'aws-tests');
  const { python, httpfs } = await pythonEnvironment(cache, progress);
  await javaJars(cache, progress);
  const token = randomUUID();
  let emulator: Promise<Emulator> | null = null;
  const emulatorPort = async (): Promise<number> => {
    emulator ??= openEmulator({ python, folder: join(folder, 'ministack'), token });
    return (await emulator).port;
  };
  const bridge = await openBridge({ emulatorPort });
  return {
    bed: { endpoint: bridge.endpoint, region: 'us-east-1', httpfs, python },
    reason: '',
    close: async () => {
      await bridge.close();
      await emulator?.then(
        (open) => open.close(),
        () => {},
      );
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
