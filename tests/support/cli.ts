import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
export const ingotScript = join(root, 'cli/ingot.js');
export const testDags = join(root, 'tests/support/dags.ts');

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing of this machine's configuration reaches the command. */
export function cliEnvironment(home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(INGOT|TEMPORAL)_|^(NO|FORCE)_COLOR$/.test(name),
  );
  return { ...Object.fromEntries(own), INGOT_HOME: home, INGOT_DAGS: testDags };
}

export function startIngot(home: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [ingotScript, ...args], {
    env: { ...cliEnvironment(home), ...env },
    cwd: join(home, '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function ended(child: ChildProcess): Promise<CliRun> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

/** Runs one command to its end. */
export function ingot(home: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliRun> {
  return ended(startIngot(home, args, env));
}
