/** A row as text: every value in its canonical text form, null where there is none. */
export type TextRow = Readonly<Record<string, string | null>>;

/** One line of JSON per row with the columns in the given order, sorted: two tables are equal if their lines are. */
export function lines(rows: readonly TextRow[], columns: readonly string[]): string[] {
  return rows.map((row) => JSON.stringify(columns.map((column) => row[column] ?? null))).toSorted();
}

/** A file of a source as it was delivered. */
export interface Delivery {
  readonly ingestDate: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** State of one ingest date; `read` is the sum of the others. */
export interface DayAccount {
  readonly ingestDate: string;
  readonly read: number;
  readonly curated: number;
  readonly audit: number;
  readonly duplicates: number;
  readonly superseded: number;
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const found = groups.get(key(item));
    if (found === undefined) groups.set(key(item), [item]);
    else found.push(item);
  }
  return groups;
}
