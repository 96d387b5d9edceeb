import { partitionText, type Table } from '../../dag/relation.ts';
import type { CatalogLog, PublishedTable } from '../../ports/catalog-log.ts';
import type { PartitionLog, PartitionVersion } from '../../ports/ledger.ts';
import type { WrittenPartition } from '../../ports/sql-engine.ts';

export const days: Table = {
  name: 'checked.days',
  zone: 'silver',
  columns: [
    { name: 'n', type: 'bigint', nullable: false },
    { name: 'amount', type: 'decimal(18,2)', nullable: true },
    { name: 'word', type: 'text', nullable: true },
    { name: 'day', type: 'date', nullable: false },
  ],
  partitionBy: ['day'],
};

/** A ledger of one table, in memory: what is verified publishes nothing in the real one. */
export interface VerifiedLedger extends CatalogLog, Pick<PartitionLog, 'tables'> {
  publish(partitions: readonly WrittenPartition[]): void;
  /** Forgets the table. */
  drop(): void;
}

export function verifiedLedger(): VerifiedLedger {
  const versions = new Map<string, PartitionVersion>();
  let publication = 0;
  let synced: number | null = null;
  const published = (): PublishedTable | null =>
    publication === 0
      ? null
      : {
          table: days,
          publication,
          partitions: [...versions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, version]) => version),
          synced,
          removed: [],
        };
  return {
    publish: (partitions) => {
      publication += 1;
      for (const { partition, files, rows, bytes } of partitions) {
        const text = partitionText(days, partition);
        const version = publication;
        versions.set(text, {
          table: days.name,
          partition,
          partitionText: text,
          version,
          publicationId: publication,
          files,
          rows,
          bytes,
        });
      }
    },
    drop: () => {
      versions.clear();
      publication = 0;
    },
    inTurn: async (_catalog, _table, work, { signal } = {}) =>
      work(published(), signal ?? new AbortController().signal),
    behind: async () => [],
    synced: async (_catalog, _table, upTo) => {
      synced = upTo;
    },
    tables: async () =>
      publication === 0 ? [] : [{ ...days, partitions: versions.size, rows: 0, bytes: 0, updatedAt: null }],
  };
}
