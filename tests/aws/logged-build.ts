import { join } from 'node:path';
import { runProgram } from '../../workers/stack/run-program.ts';
import { NoTestBedError } from './needed-program.ts';

export interface BuildStep {
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly progress: (line: string) => void;
}

/** Runs one step of building a cached folder and says every 20 seconds that it still does. */
export async function loggedBuild({ what, command, args, folder, progress }: BuildStep): Promise<void> {
  const startedAt = Date.now();
  const seconds = (): number => Math.round((Date.now() - startedAt) / 1000);
  progress(`${what}: once, about a minute.`);
  const clock = setInterval(() => progress(`${what}: ${seconds()} s so far.`), 20_000);
  try {
    const logFile = join(folder, 'build.log');
    const { code, log } = await runProgram({ command, args, env: process.env, logFile });
    if (code === 0) return;
    const end = log.trim().split('\n').slice(-8).join('\n');
    throw new NoTestBedError(`${what} ended with code ${code}:\n${end}`);
  } finally {
    clearInterval(clock);
  }
}
