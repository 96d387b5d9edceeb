import { writeFile } from 'node:fs/promises';
import { serveWorker } from '../../workers/serve-worker.ts';
import type { Cli } from '../cli.ts';

export async function worker(cli: Cli, options: { readonly readyFile?: string }): Promise<void> {
  await serveWorker(cli.config(), cli.inputs.env, cli.signal, async () => {
    if (options.readyFile !== undefined) await writeFile(options.readyFile, String(process.pid));
  });
}
