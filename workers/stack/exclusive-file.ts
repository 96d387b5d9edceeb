import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

/** A lock the operating system takes away from a dead process, so that it can never be stale. */
export interface ExclusiveFile {
  release(): void;
}

/** Locks `file` for this process, or returns null when another one holds it. SQLite does the locking: Node has no call for it. */
export function tryExclusive(file: string): ExclusiveFile | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === 5) return null;
    throw error;
  }
}

export async function waitExclusive(file: string, onWait: () => void): Promise<ExclusiveFile> {
  let told = false;
  for (;;) {
    const lock = tryExclusive(file);
    if (lock !== null) return lock;
    if (!told) onWait();
    told = true;
    await delay(200);
  }
}
