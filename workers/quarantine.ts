import type { Ledger, Publication } from '../ports/ledger.ts';

/** Quarantined rows of one slice of a table, by reason; a row with two reasons counts in both. */
export interface QuarantineCount {
  readonly table: string;
  readonly partition: string;
  readonly rows: number;
  readonly reasons: Readonly<Record<string, number>>;
}

function reasonsOf(publication: Publication, partition: string): Readonly<Record<string, number>> {
  const slice = publication.summary[partition];
  const counts =
    slice !== null && typeof slice === 'object' && 'quarantined' in slice ? slice['quarantined'] : null;
  return (counts ?? {}) as Readonly<Record<string, number>>;
}

/** What is quarantined now: current partitions of `table`, each explained by the publication that wrote it. */
export async function quarantined(
  ledger: Ledger,
  table: string,
  date: string | null,
): Promise<readonly QuarantineCount[]> {
  const partitions = (await ledger.partitions(table)).filter(
    (part) => date === null || Object.values(part.partition).includes(date),
  );
  return Promise.all(
    partitions.map(async ({ partitionText, publicationId, rows }) => {
      const history = await ledger.history({ table, partition: partitionText, limit: 20 });
      const publication = history.find((each) => each.id === publicationId);
      return {
        table,
        partition: partitionText,
        rows,
        reasons: publication === undefined ? {} : reasonsOf(publication, partitionText),
      };
    }),
  );
}

/** Sums over slices, most frequent reason first. */
export function totalReasons(counts: readonly QuarantineCount[]): readonly (readonly [string, number])[] {
  const totals = new Map<string, number>();
  for (const { reasons } of counts)
    for (const [reason, rows] of Object.entries(reasons))
      totals.set(reason, (totals.get(reason) ?? 0) + rows);
  return [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
