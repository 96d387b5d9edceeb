import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process id together with when it started: ids are used again, pairs are not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

function startOf(pid: number): string | null {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** Null when no such process lives. */
export function identify(pid: number): ProcessIdentity | null {
  const started = startOf(pid);
  return started === null ? null : { pid, started };
}

export function lives(identity: ProcessIdentity): boolean {
  return startOf(identity.pid) === identity.started;
}

function send(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (lives(identity)) process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits up to `limitMs` for its end; true when it has ended. */
export async function waitForEnd(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (lives(identity)) {
    if (Date.now() > deadline) return false;
    await delay(25);
  }
  return true;
}

/** Ends a process: asks, waits, kills. */
export async function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  send(identity, signal);
  if (await waitForEnd(identity, graceMs)) return;
  send(identity, 'SIGKILL');
  await waitForEnd(identity, 5000);
}
