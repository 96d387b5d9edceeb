import type { Table } from '../../../dag/relation.ts';
import type { QueryResult, QueryService } from '../../../ports/query-service.ts';
import type { ResultValue } from '../../../ports/sql-engine.ts';

export interface QueryServiceFixture extends AsyncDisposable {
  readonly service: QueryService;
  /** Publishes the rows of a select as the table's new content, in its partitions. */
  publish(table: Table, select: string): Promise<void>;
}

/** Opens a service over no tables. */
export type OpenQueryService = () => Promise<QueryServiceFixture>;

export async function read(result: QueryResult): Promise<(readonly ResultValue[])[]> {
  const rows: (readonly ResultValue[])[] = [];
  for await (const row of result.rows) rows.push(row);
  return rows;
}
