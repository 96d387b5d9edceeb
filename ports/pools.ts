import type { PoolHolder } from '../dag/pools.ts';
import type { Failure, InstanceKey } from '../dag/reducer.ts';

export interface PoolRecord {
  readonly name: string;
  /** Null for a pool that does not exist and is waited for all the same. */
  readonly slots: number | null;
  readonly description: string | null;
  /** Slots in use; more than there are after the pool was made smaller. */
  readonly held: number;
  readonly holders: number;
  readonly waiting: number;
}

/** Slots that an attempt holds, or waits for while `grantedAt` is null. */
export interface PoolLease {
  readonly leaseId: string;
  readonly pool: string;
  readonly runId: string;
  /** Of the execution that asked. */
  readonly workflowId: string;
  readonly task: InstanceKey;
  readonly slots: number;
  readonly priority: number;
  readonly askedAt: string;
  readonly grantedAt: string | null;
}

export interface PoolAsk {
  /** Unique for every time an instance asks. */
  readonly leaseId: string;
  readonly pool: string;
  readonly task: InstanceKey;
  readonly slots: number;
  readonly priority: number;
}

/** What a run asks of its pools at once. May be repeated. */
export interface PoolRequests {
  readonly runId: string;
  /** Of the execution that is told of later grants. */
  readonly workflowId: string;
  readonly releases: readonly Pick<PoolAsk, 'leaseId' | 'pool'>[];
  /** New ones, and those that still wait. */
  readonly asks: readonly PoolAsk[];
}

export interface PoolReply {
  /** By lease id, of those asked. `ahead`: requests that come before. */
  readonly leases: Readonly<
    Record<
      string,
      | { readonly state: 'granted' }
      | { readonly state: 'refused'; readonly failure: Failure }
      | { readonly state: 'waits'; readonly ahead: number }
    >
  >;
  /** By name, of those waited for; `heldBy` the first few, longest first. */
  readonly pools: Readonly<
    Record<
      string,
      { readonly size: number | null; readonly held: number; readonly heldBy: readonly PoolHolder[] }
    >
  >;
}

/** A grant its execution was not told of yet. */
export type PoolGrant = Pick<PoolLease, 'leaseId' | 'workflowId'>;

/** Pools, and who holds and awaits their slots. The slots of a run end with it. Every write may be repeated. */
export interface PoolLog {
  /** By name. */
  pools(): Promise<readonly PoolRecord[]>;
  /** Holders, longest first; then those that wait, in the order they are served. */
  poolLeases(pool: string): Promise<readonly PoolLease[]>;
  /** Creates a pool or changes its size; `description` undefined leaves it as it is. Slots that are held stay held. */
  setPool(name: string, slots: number, description?: string): Promise<'created' | 'changed' | 'unchanged'>;
  /** Throws TerminalError for a pool that does not exist, is held or waited for. */
  deletePool(name: string): Promise<void>;
  /** Gives back and takes slots, and serves who waits. What is released first can never be granted later. Throws RunClosedError when asked by a closed run. */
  leasePools(
    requests: PoolRequests,
  ): Promise<{ readonly reply: PoolReply; readonly grants: readonly PoolGrant[] }>;
  /** Serves who waits in any pool, and answers all grants not told of. */
  servePools(): Promise<readonly PoolGrant[]>;
  grantsTold(leaseIds: readonly string[]): Promise<void>;
  /** Open runs that hold or await slots of a pool somebody waits for. */
  runsInPools(): Promise<readonly string[]>;
}

/** The activities behind pools, by their type. Each may be repeated. */
export type PoolSteps = {
  readonly 'ingot.leasePools': (requests: PoolRequests) => Promise<PoolReply>;
};
