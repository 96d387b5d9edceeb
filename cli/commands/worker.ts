import { writeFile } from 'node:fs/promises';
import { serveWorker } from '../../workers/serve-worker.ts';
import { wholeNumber } from '../arguments.ts';
import type { Cli } from '../cli.ts';

export interface WorkerFlags {
  readonly readyFile?: string;
  readonly drain?: string;
}

export async function worker(cli: Cli, options: WorkerFlags): Promise<void> {
  const drainMs = options.drain === undefined ? undefined : wholeNumber('--drain', options.drain) * 1000;
  const tell = async (): Promise<void> => {
    if (options.readyFile !== undefined) await writeFile(options.readyFile, String(process.pid));
  };
  await serveWorker(cli.config(), cli.inputs.env, cli.signal, tell, drainMs);
}
