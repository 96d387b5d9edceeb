import { writeFile } from 'node:fs/promises';
import { serveWorker } from '../../workers/serve-worker.ts';
import { settings } from '../../workers/config/settings.ts';
import { wholeNumber } from '../arguments.ts';
import { UsageError, type Cli } from '../cli.ts';

export interface WorkerFlags {
  readonly readyFile?: string;
  readonly drain?: string;
  readonly queues?: string;
}

function queuesOf(text: string): readonly string[] {
  const parsed = settings.queues.type.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`expected --queues with ${parsed.error.issues[0]!.message}; found ${text}.`);
}

/** Works until told to stop: then takes no more, lets attempts end for a while, hands back the rest, and ends with 0. */
export async function worker(cli: Cli, options: WorkerFlags): Promise<void> {
  const config = {
    ...cli.config(),
    ...(options.drain === undefined ? {} : { drainSeconds: wholeNumber('--drain', options.drain) }),
    ...(options.queues === undefined ? {} : { queues: queuesOf(options.queues) }),
  };
  const tell = async (): Promise<void> => {
    if (options.readyFile !== undefined) await writeFile(options.readyFile, String(process.pid));
  };
  await serveWorker(config, cli.inputs.env, cli.signal, tell);
}
