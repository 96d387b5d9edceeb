import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectInfo } from '../../ports/object-store.ts';
import { fileError, isMissing } from './file-errors.ts';

/** Every put makes a new inode; writing in place moves size, mtime or at least ctime, all in nanoseconds. */
export function etag(stats: BigIntStats): string {
  return [stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino].map((part) => part.toString(36)).join('-');
}

/** Null when there is no file at the key. */
export async function describeFile(root: string, key: string): Promise<ObjectInfo | null> {
  const path = join(root, key);
  try {
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile()) return null;
    return { key, bytes: Number(stats.size), etag: etag(stats), modifiedAt: stats.mtime.toISOString() };
  } catch (error) {
    if (isMissing(error)) return null;
    throw fileError(error, path);
  }
}
