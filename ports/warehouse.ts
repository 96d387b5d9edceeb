import type { Column } from '../dag/relation.ts';
import type { CallOptions } from './abortable.ts';

/** A relational table that people query, `<table>` or `<schema>.<table>`; created, and given columns it lacks, by the load itself. A column `updated_at` is added to targets: when the row last really changed. */
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
  /**
   * One fenced transaction: either the slice and everything computed from it is there, or nothing changed. Loads of one target take turns; the rows
   * of a stale one are not read. Throws TerminalError for values that do not fit, rows outside of the slice or with a repeated key, and a column that
   * is there with another type; the signal's reason when aborted; after a RetryableError the same load may be repeated.
   */
  replaceSlice(request: LoadRequest, options?: CallOptions): Promise<LoadResult>;
  /** Rows of a read-only select, values as text. Throws TerminalError for anything but one select. */
  query(
    sql: string,
    options?: CallOptions & { readonly limit?: number },
  ): Promise<{ readonly columns: readonly string[]; readonly rows: readonly (readonly (string | null)[])[] }>;
  close(): Promise<void>;
}
