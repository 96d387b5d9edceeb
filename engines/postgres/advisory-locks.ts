import { createHash } from 'node:crypto';
import type { Query } from './database.ts';

/** Something two transactions must not do at once. Names of different kinds never meet: they carry their kind. */
export interface Lock {
  readonly name: string;
  readonly mode: 'shared' | 'exclusive';
}

/** A collision of two names costs a wait, never correctness. */
export function lockKey(name: string): bigint {
  return createHash('sha256').update(`ingot:${name}`).digest().readBigInt64BE();
}

/**
 * Takes all locks until the end of the transaction, in the order of their keys and each key once in its strongest mode:
 * with one order for everybody there is no circle to wait in. What they protect must be read by a later statement, which
 * sees everything that was committed before the locks were granted.
 */
export async function takeLocks(query: Query, locks: readonly Lock[]): Promise<void> {
  const exclusive = new Map<bigint, boolean>();
  for (const lock of locks) {
    const key = lockKey(lock.name);
    exclusive.set(key, exclusive.get(key) === true || lock.mode === 'exclusive');
  }
  const sorted = [...exclusive].sort(([a], [b]) => (a < b ? -1 : 1));
  await query(
    `select case when exclusive then pg_advisory_xact_lock(key) else pg_advisory_xact_lock_shared(key) end
       from unnest($1::bigint[], $2::boolean[]) as locks (key, exclusive)`,
    [sorted.map(([key]) => String(key)), sorted.map(([, isExclusive]) => isExclusive)],
  );
}
