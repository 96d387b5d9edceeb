import type { CallOptions } from './abortable.ts';
import type { ResultValue } from './sql-engine.ts';

export interface QueryColumn {
  readonly name: string;
  readonly type: string;
}

export interface QueryResult {
  readonly columns: readonly QueryColumn[];
  /** Streamed, to be read once; each row in column order. */
  readonly rows: AsyncIterable<readonly ResultValue[]>;
  /** Bytes of the files the query could touch after partition pruning. */
  readonly bytesScanned: number;
  /** Partitions read and partitions left out by pruning; null where the engine does not tell. */
  readonly partitions: { readonly read: number; readonly leftOut: number } | null;
}

/** Answers read-only SQL over published tables, written `<pipeline>.<table>`, all seen at one snapshot. */
export interface QueryService {
  /**
   * Submits one select and awaits its first rows; `limit` ends them early. Throws TerminalError for SQL that does not parse,
   * is not read-only, reads beyond the tables, or names an unknown table (with the names that come near). The rows must be
   * read to their end or left by `return`; the signal gives back what an unread result holds.
   */
  query(sql: string, options?: CallOptions & { readonly limit?: number }): Promise<QueryResult>;
}
