import { dirname } from 'node:path';
import { startGuarded } from './guarded-child.ts';

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end, which comes with this process's at the latest. Answers its exit code and the end of its log. */
export async function runProgram(
  program: ProgramRun,
): Promise<{ readonly code: number | null; readonly log: string }> {
  const { command, args, env, logFile, signal } = program;
  const folder = dirname(logFile);
  const child = await startGuarded({
    name: command,
    command,
    args,
    env,
    folder,
    logFile,
    stopSignal: 'TERM',
    graceMs: 2000,
  });
  const stop = (): void => void child.stop();
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  const { code } = await child.exited;
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  return { code, log: child.logTail(200) };
}
