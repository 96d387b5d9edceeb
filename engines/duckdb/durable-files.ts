import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isRemote } from './locations.ts';

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/**
 * Files COPY has written are in the system's cache only; a pointer to them must not outlive a power cut that they do not.
 * Addresses of stores elsewhere are durable once written.
 */
export async function makeDurable(locations: readonly string[]): Promise<void> {
  const paths = locations.filter((location) => !isRemote(location));
  for (let at = 0; at < paths.length; at += 16) await Promise.all(paths.slice(at, at + 16).map(sync));
  for (const folder of new Set(paths.map(dirname))) await sync(folder);
}
