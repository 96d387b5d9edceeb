import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Bench } from './harness.ts';

/** `mortal-worker.ts` in a process of its own; its task hangs once, when there is no marker file yet. */
export function spawnWorker(bench: Bench, marker: string): ChildProcess {
  const script = join(import.meta.dirname, 'mortal-worker.ts');
  const address = inject('temporalAddress');
  return spawn(
    process.execPath,
    [script, address, bench.taskQueue, bench.ledgerUrl, bench.cacheFolder, marker],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

export async function killWorker(worker: ChildProcess): Promise<void> {
  worker.kill('SIGKILL');
  if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
}
