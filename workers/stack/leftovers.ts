import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StackRecord } from './home.ts';
import { endProcess, lives, waitForEnd } from './process-identity.ts';

/** A guard whose supervisor died is ending its program already; it gets this long before it is done for it. */
const guardMs = 16_000;

/**
 * Ends what an earlier supervisor left behind. Its guards do that themselves as soon as it is gone,
 * so this waits for them, and steps in where a guard was killed as well.
 */
export async function endLeftovers(record: StackRecord | null, say: (line: string) => void): Promise<void> {
  const running = (record?.children ?? []).filter((child) => lives(child.program));
  if (running.length === 0) return;
  say(`Ending what an interrupted start left running: ${running.map((child) => child.name).join(', ')}.`);
  await Promise.all(
    running.map(async (child) => {
      if (lives(child.guard)) await waitForEnd(child.program, guardMs);
      await endProcess(child.program, `SIG${child.stopSignal}`, 8000);
    }),
  );
}

/**
 * Removes the lock file of a Postgres that is gone. Postgres itself believes any living process of that id to be the
 * owner, and in a container ids are used again at once. Called only by who owns the home and has ended the leftovers.
 */
export async function removeStaleServerLock(dataFolder: string): Promise<void> {
  const file = join(dataFolder, 'postmaster.pid');
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
  if (!(pid > 0)) return;
  if (!(await isPostgres(pid))) await rm(file, { force: true });
}

async function isPostgres(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('postgres');
}
