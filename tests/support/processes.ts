import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { StackRecord } from '../../workers/stack/home.ts';
import { lives, type ProcessIdentity } from '../../workers/stack/process-identity.ts';

/** Waits until `probe` gives a value; fails with `what` when it never does. */
export async function eventually<T>(
  what: string,
  probe: () => T | null | undefined | Promise<T | null | undefined>,
): Promise<T> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(50);
  }
}

export function recordOf(home: string): StackRecord | null {
  try {
    return JSON.parse(readFileSync(`${home}/stack.json`, 'utf8')) as StackRecord;
  } catch {
    return null;
  }
}

/** All programs of a stack and their guards. */
export function processesOf(record: StackRecord): ProcessIdentity[] {
  return record.children.flatMap((child) => [child.program, child.guard]);
}

export async function allGone(processes: readonly ProcessIdentity[]): Promise<void> {
  await eventually(
    `the end of ${JSON.stringify(processes.filter(lives))}`,
    () => !processes.some(lives) || null,
  );
}
