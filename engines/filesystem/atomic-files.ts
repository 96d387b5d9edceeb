import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Abortable } from '../../ports/abortable.ts';
import { exists, isMissing } from './file-errors.ts';
import { temporaryFolder } from './object-keys.ts';

const leftoverMs = 24 * 3600_000;

export function temporaryPath(root: string): string {
  return join(root, temporaryFolder, randomUUID());
}

/** Removes what writers killed more than a day ago left behind; younger files may belong to a living one. */
export async function removeLeftovers(root: string): Promise<void> {
  const folder = join(root, temporaryFolder);
  for (const name of await readdir(folder)) {
    const stats = await stat(join(folder, name)).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > leftoverMs)
      await rm(join(folder, name), { force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function writeSynced(
  path: string,
  body: AsyncIterable<Uint8Array> | Uint8Array,
  signal?: Abortable,
): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    if (body instanceof Uint8Array) await handle.writeFile(body);
    else {
      for await (const chunk of body) {
        if (signal?.aborted === true) throw signal.reason;
        await handle.writeFile(chunk);
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function copySynced(from: string, path: string): Promise<void> {
  await copyFile(from, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await syncFolder(path);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw exists(error)
      ? Object.assign(new Error(`a file where ${path} should be`), { code: 'ENOTDIR' })
      : error;
  }
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (!exists(error)) throw error;
    if ((await stat(to)).isDirectory())
      throw Object.assign(new Error(`a folder at ${to}`), { code: 'EISDIR' });
    return false;
  }
}

/** Gives the finished file at `from` its name; readers see either the old object or the whole new one. */
export async function moveIntoPlace(from: string, to: string, ifAbsent: boolean): Promise<boolean> {
  for (let left = 100; ; left -= 1) {
    try {
      await makeFolder(dirname(to));
      if (!ifAbsent) await rename(from, to);
      else if (!(await linkUnlessThere(from, to))) return false;
      break;
    } catch (error) {
      // The removal of a neighbour may take the emptied folder away between mkdir and rename.
      if (!isMissing(error) || left === 0) throw error;
    }
  }
  await syncFolder(dirname(to)).catch((error: unknown) => {
    // The object is already removed again, and its folder with it.
    if (!isMissing(error)) throw error;
  });
  return true;
}
