import { join } from 'node:path';
import { tryExclusive, tryShared, type ExclusiveFile } from './exclusive-file.ts';

/** Held by every process that uses a stack it does not own, so that the owner does not stop it under their feet. */
export function tryUse(home: string): ExclusiveFile | null {
  return tryShared(join(home, 'users.lock'));
}

/** Held by the owner from the moment it stops: nobody uses the stack any more, nobody can begin to. */
export function tryClose(home: string): ExclusiveFile | null {
  return tryExclusive(join(home, 'users.lock'));
}
