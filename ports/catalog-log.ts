import type { PartitionValues, Table } from '../dag/relation.ts';
import type { Abortable, CallOptions } from './abortable.ts';
import type { PartitionVersion } from './ledger.ts';

/** A table as the ledger has it at one moment of a turn. */
export interface PublishedTable {
  readonly table: Table;
  /** Newest publication of it; null when nothing was published. What is newer than this may be among the partitions already. */
  readonly publication: number | null;
  /** Current versions, in the order of their text. */
  readonly partitions: readonly PartitionVersion[];
  /** Publication the catalog was told of last; null when of none. */
  readonly synced: number | null;
  /** Partitions that were removed since, and not published again. */
  readonly removed: readonly PartitionValues[];
}

/** How far the catalogs that follow the ledger have come, and whose turn it is to bring them further. */
export interface CatalogLog {
  /**
   * Runs `work` on what the ledger has of the table (null: it knows no such table), read after everybody else's turn with this table of this catalog
   * has ended and before the next begins, in whatever process. `signal` is aborted when the turn is lost or the caller gives up: nothing more may be
   * written then. Throws RetryableError when the ledger cannot be reached or the turn was lost.
   */
  inTurn<Result>(
    catalog: string,
    table: string,
    work: (published: PublishedTable | null, signal: Abortable) => Promise<Result>,
    options?: CallOptions,
  ): Promise<Result>;
  /** Tables published since the catalog was told of them last, by name. */
  behind(catalog: string): Promise<readonly string[]>;
  /** Says that the catalog shows the table as of a publication, or newer. Never goes back. */
  synced(catalog: string, table: string, publication: number): Promise<void>;
}
