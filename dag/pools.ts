import type { Failure, InstanceKey } from './run-progress.ts';

/** An attempt that needs slots of a pool. */
export interface PoolRequest {
  readonly slots: number;
  readonly priority: number;
  /** Grows with every request: who asked first has the lowest. */
  readonly ticket: number;
}

/** Who holds slots, for people. */
export interface PoolHolder {
  /** Workflow id of the run. */
  readonly run: string;
  readonly task: InstanceKey;
  readonly slots: number;
}

/** How a pool stands for one that waits for it. */
export interface PoolStanding {
  /** Slots of the pool; null while there is no pool of that name. */
  readonly size: number | null;
  readonly held: number;
  /** The first few of those who hold them, longest first. */
  readonly heldBy: readonly PoolHolder[];
  /** Requests that come before this one. */
  readonly ahead: number;
}

export type PoolAnswer = { readonly key: InstanceKey } & (
  | { readonly type: 'granted' }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'waits'; readonly standing: PoolStanding }
);

/** The order in which requests are served: by priority, then first come first served. */
export function byTurn(a: PoolRequest, b: PoolRequest): number {
  return b.priority - a.priority || a.ticket - b.ticket;
}

/**
 * Requests that get their slots now, in order. Nobody overtakes: while the first in line does not fit, slots that
 * come free are kept for it, so that a large request is not starved by small ones of the same or a lower priority.
 * One that the pool could not hold even when empty (it was made smaller) stands in nobody's way.
 */
export function nextGrants<Request extends PoolRequest>(
  size: number,
  held: number,
  waiting: readonly Request[],
): readonly Request[] {
  const granted: Request[] = [];
  let free = size - held;
  for (const request of waiting.toSorted(byTurn)) {
    if (request.slots > size) continue;
    if (request.slots > free) break;
    free -= request.slots;
    granted.push(request);
  }
  return granted;
}

/** Why a request can never be served by a pool of this size, or null. A pool of no slots is closed for a while: it serves later. */
export function poolRefusal(pool: string, size: number, slots: number): Failure | null {
  if (size === 0 || slots <= size) return null;
  const message = `expected poolSlots of at most ${size}, the size of pool ${pool}; found ${slots}. Lower poolSlots, or enlarge the pool: \`ingot pools set ${pool} ${slots}\`.`;
  return { type: 'PoolTooSmall', message, retryable: false };
}
