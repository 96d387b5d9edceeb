import type { CallOptions } from './abortable.ts';

/** One difference between catalog and ledger that was, or would be, mended. */
export interface CatalogChange {
  readonly table: string;
  /** `partitionText`; null for the table itself. */
  readonly partition: string | null;
  readonly action: 'create' | 'update' | 'remove';
  /** Ledger version that readers see from then on; null where it is removed, and for a table in partitions, which have each their own. */
  readonly version: number | null;
}

export interface SyncOptions extends CallOptions {
  readonly dryRun?: boolean;
  /** Looks at what was published since the catalog was told last, and trusts it for the rest: what was changed by hand stays. */
  readonly sinceLast?: boolean;
}

/**
 * Where readers from outside look tables up. It follows the ledger and never leads: what it shows of a partition is one published version,
 * the one before or the present one, never a mixture and never one that is older than it showed.
 */
export interface Catalog {
  readonly name: string;
  /**
   * Brings tables, columns and partitions in line with what the ledger has now, whatever the catalog shows; all registered tables unless named. May be
   * repeated, interrupted, and called by several at once. Throws RetryableError for a service that is busy, with how far it came in the message.
   */
  sync(tables?: readonly string[], options?: SyncOptions): Promise<readonly CatalogChange[]>;
}
