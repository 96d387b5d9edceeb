import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { TerminalError } from '../../ports/errors.ts';

/** A lock the operating system takes away from a dead process, so that it can never be stale. */
export interface ExclusiveFile {
  release(): void;
}

const busy = 5;
const notADatabase = 26;

function notALock(file: string, cause: Error): TerminalError {
  return new TerminalError(
    {
      expected: 'a lock file as Ingot makes it',
      found: 'other content',
      remedy: 'Remove the file, after checking that no ingot command is running; it holds no data.',
      place: file,
    },
    { cause },
  );
}

/** SQLite does the locking: Node has no call for it. */
function tryLock(file: string, statements: readonly string[]): ExclusiveFile | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    for (const statement of statements) database.exec(statement);
    return { release: () => void (database.isOpen && database.close()) };
  } catch (error) {
    database.close();
    const { errcode } = error as { errcode?: number };
    if (errcode === busy) return null;
    throw errcode === notADatabase ? notALock(file, error as Error) : error;
  }
}

/** Locks `file` for this process, or returns null when another one holds it, shared or not. */
export function tryExclusive(file: string): ExclusiveFile | null {
  return tryLock(file, ['begin exclusive']);
}

/** Locks `file` together with others who share it, or returns null when one holds it for itself. */
export function tryShared(file: string): ExclusiveFile | null {
  return tryLock(file, ['begin', 'select count(*) from sqlite_master']);
}

export async function waitExclusive(
  file: string,
  onWait: () => void,
  signal?: AbortSignal,
): Promise<ExclusiveFile> {
  let told = false;
  for (;;) {
    const lock = tryExclusive(file);
    if (lock !== null) return lock;
    if (!told) onWait();
    told = true;
    await delay(200, undefined, signal === undefined ? {} : { signal });
  }
}
