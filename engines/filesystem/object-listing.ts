import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectInfo } from '../../ports/object-store.ts';
import { fileError, isMissing } from './file-errors.ts';
import { describeFile } from './object-info.ts';
import { temporaryFolder } from './object-keys.ts';

interface Entry {
  readonly name: string;
  readonly folder: boolean;
  /** What decides the place in key order: a folder's keys all continue with a slash. */
  readonly order: Buffer;
}

async function isFolder(path: string, entry: Dirent): Promise<boolean | null> {
  if (entry.isDirectory()) return true;
  if (entry.isFile()) return false;
  if (!entry.isSymbolicLink()) return null;
  const target = await stat(path).catch(() => null);
  return target === null ? null : target.isDirectory();
}

async function entries(folder: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const kind = await isFolder(join(folder, entry.name), entry);
    if (kind === null) continue;
    found.push({ name: entry.name, folder: kind, order: Buffer.from(kind ? `${entry.name}/` : entry.name) });
  }
  return found.sort((a, b) => Buffer.compare(a.order, b.order));
}

async function readable(folder: string): Promise<Entry[]> {
  try {
    return await entries(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw fileError(error, folder);
  }
}

/** Keys under `folder` (a key ending in a slash, or '') that start with `folder + start`, in byte order of the key. */
export async function* walk(root: string, folder: string, start: string): AsyncIterable<ObjectInfo> {
  for (const entry of await readable(join(root, folder))) {
    if (!entry.name.startsWith(start) || (folder === '' && entry.name === temporaryFolder)) continue;
    if (entry.folder) yield* walk(root, `${folder}${entry.name}/`, '');
    else {
      const info = await describeFile(root, `${folder}${entry.name}`);
      if (info !== null) yield info;
    }
  }
}
