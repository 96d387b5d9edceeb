import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../workers/stack/free-port.ts';
import { startGuarded } from '../../workers/stack/guarded-child.ts';
import { waitUntilReady } from '../../workers/stack/wait-until.ts';

export interface Emulator {
  readonly port: number;
  close(): Promise<void>;
}

export interface EmulatorOptions {
  readonly python: string;
  readonly folder: string;
  /** Lets its holder send events in the name of AWS services. */
  readonly token: string;
}

/** Starts ministack on a port of its own; it ends with this process at the latest. */
export async function openEmulator({ python, folder, token }: EmulatorOptions): Promise<Emulator> {
  await mkdir(folder, { recursive: true });
  const [port = 0] = await freePorts([undefined]);
  const child = await startGuarded({
    name: 'ministack',
    command: python,
    args: [join(import.meta.dirname, 'emulator.py')],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      TMPDIR: folder,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      LOG_LEVEL: 'WARNING',
      BRIDGE_TOKEN: token,
      S3_DATA_DIR: join(folder, 's3'),
    },
    folder,
    logFile: join(folder, 'ministack.log'),
    stopSignal: 'TERM',
    graceMs: 2000,
  });
  const ready = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/_ministack/health`)).ok && !child.hasExited();
  await waitUntilReady(child, ready, 60_000);
  return { port, close: () => child.stop() };
}
