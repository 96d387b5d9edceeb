import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RetryableError, TerminalError } from '../../ports/errors.ts';

const own = new Set<string>();

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Folders are named after the process that uses them, so that several workers may share one spill folder. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^spill-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || own.has(name) || (pid !== process.pid && alive(pid))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

function spillError(error: unknown, folder: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const place = folder;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return new RetryableError(
      {
        expected: 'free space for the spill folder',
        found: 'a full disk',
        remedy: 'Free space there or choose another spill folder.',
        place,
      },
      { cause: error },
    );
  return new TerminalError(
    {
      expected: 'a spill folder that can be written',
      found: error.message,
      remedy: 'Choose a folder the worker may write to.',
      place,
    },
    { cause: error },
  );
}

export interface SpillFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder of this process's own under `folder`; what dead processes left there is removed, and this one on dispose. */
export async function openSpillFolder(folder: string): Promise<SpillFolder> {
  const name = `spill-${process.pid}-${randomUUID()}`;
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true });
    own.add(name);
    await removeLeftovers(folder);
    await mkdir(path);
    await writeFile(join(path, 'writable'), 'x');
    await rm(join(path, 'writable'));
  } catch (error) {
    own.delete(name);
    throw spillError(error, folder);
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
      own.delete(name);
    },
  };
}
