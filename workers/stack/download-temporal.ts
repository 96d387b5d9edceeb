import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runProgram } from './run-program.ts';
import type { Fetch } from './fetch-options.ts';

const script = join(import.meta.dirname, 'download-script.ts');
const logName = 'download.log';

/** Lets the SDK fetch its official build of the CLI. */
export const downloadTemporal: Fetch = async (path, { env, progress, signal }) => {
  const folder = join(dirname(path), `download-${process.pid}`);
  await mkdir(folder, { recursive: true });
  progress('Downloading the Temporal CLI, once.');
  try {
    const { code, log } = await runProgram({
      command: process.execPath,
      args: [script, folder],
      env,
      logFile: join(folder, logName),
      signal,
    });
    const file = (await readdir(folder)).find((name) => name !== logName);
    if (code !== 0 || file === undefined) return `the SDK's download failed: ${reasonIn(log)}`;
    await rename(join(folder, file), path);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The line of a printed error that says what happened. */
function reasonIn(log: string): string {
  const lines = log.trim().split('\n');
  return (lines.find((line) => /Error:/.test(line)) ?? lines.at(-1) ?? 'it downloaded nothing').trim();
}
