import type { Column } from '../dag/relation.ts';
import type { CallOptions } from './abortable.ts';

/** A relational table that people query; created and kept in line by `migrate` and the first load. */
export interface WarehouseTable {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  /** Index definitions after `on <table>`, e.g. `(total_spent_aud desc)`. */
  readonly indexes: readonly string[];
}

/**
 * Replaces one slice of a target. `slice` is the rows' own part of the target or of its staging table.
 *
 * - Without `staging` the rows are target rows: those of the slice that are gone are deleted, the rest upserted.
 * - With `staging` the rows replace the slice there, and `recompute` (a select over `staging` and `affected`, the keys
 *   the slice had or has) gives the target's rows of those keys; keys it does not give are deleted.
 */
export interface LoadRequest {
  readonly target: WarehouseTable;
  readonly staging: { readonly table: WarehouseTable; readonly recompute: string } | null;
  /** Column of staging (or target) and its value that make the slice. */
  readonly slice: { readonly column: string; readonly value: string };
  /** Order of the data: the slice is left alone, and `stale` returned, when one from a newer publication is there. */
  readonly publication: number;
  /** Columns of the copied rows, in order. */
  readonly columns: readonly string[];
  /** PostgreSQL CSV copy format, streamed. */
  readonly rows: AsyncIterable<Uint8Array>;
}

export interface LoadResult {
  readonly outcome: 'loaded' | 'stale';
  readonly copied: number;
  readonly upserted: number;
  readonly deleted: number;
}

/** The relational database results are served from; may be another server than the ledger. */
export interface Warehouse {
  /** One fenced transaction: either the slice and everything computed from it is there, or nothing changed. */
  replaceSlice(request: LoadRequest, options?: CallOptions): Promise<LoadResult>;
  /** Rows of a read-only select, values as text. */
  query(
    sql: string,
    options?: CallOptions & { readonly limit?: number },
  ): Promise<{ readonly columns: readonly string[]; readonly rows: readonly (readonly (string | null)[])[] }>;
  close(): Promise<void>;
}
