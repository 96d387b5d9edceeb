import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runProgram } from './run-program.ts';
import type { Fetch } from './fetch-options.ts';

const version = 'v1.5.1';
const commandNotFound = 127;

/** Builds the official CLI from source where Go is installed. */
export const buildTemporal: Fetch = async (path, { env, progress, signal }) => {
  const folder = join(dirname(path), `build-${process.pid}`);
  await mkdir(folder, { recursive: true });
  const startedAt = Date.now();
  const clock = setInterval(
    () => progress(`Building the Temporal CLI: ${Math.round((Date.now() - startedAt) / 1000)} s so far.`),
    20_000,
  );
  try {
    progress(
      `Building the Temporal CLI ${version} with Go, where it is installed: about three minutes, once.`,
    );
    const { code, log } = await runProgram({
      command: 'go',
      args: ['install', `github.com/temporalio/cli/cmd/temporal@${version}`],
      env: { ...env, GOBIN: folder },
      logFile: join(folder, 'build.log'),
      signal,
    });
    if (code === commandNotFound) return 'Go is not installed, so it cannot be built';
    if (code !== 0)
      return `\`go install\` of the Temporal CLI ended with code ${code}: ${log.trim().split('\n').at(-1)}`;
    await rename(join(folder, 'temporal'), path);
    return null;
  } finally {
    clearInterval(clock);
    await rm(folder, { recursive: true, force: true });
  }
};
