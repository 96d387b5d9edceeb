import { writeFile } from 'node:fs/promises';
import { serveListener } from '../../workers/serve-listener.ts';
import type { Cli } from '../cli.ts';

/** Listens until told to stop: then takes no more, lets what is under way end, and ends with 0. */
export async function listen(cli: Cli, { readyFile }: { readonly readyFile?: string }): Promise<void> {
  await serveListener(cli.config(), cli.inputs.env, cli.signal, async () => {
    if (readyFile !== undefined) await writeFile(readyFile, String(process.pid));
  });
}
