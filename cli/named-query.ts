import type { QueryResult } from '../ports/query-service.ts';
import { namedQueries } from '../pipelines/index.ts';
import { nearest } from '../workers/config/nearest.ts';
import { UsageError, type Cli } from './cli.ts';
import { bytes, count } from './format.ts';
import type { Session } from './session.ts';
import type { RowStream } from './write-rows.ts';

/** A select over the lake, or over the database of a connection. */
export interface Query {
  readonly sql: string;
  readonly connection: string | null;
}

export function namedQuery(name: string): Query {
  const found = namedQueries[name];
  if (found !== undefined)
    return { sql: found.sql, connection: found.on === 'lake' ? null : found.on.warehouse };
  const known = Object.keys(namedQueries);
  const meant = nearest(name, known);
  throw new UsageError(
    `expected the name of a query (${known.join(', ') || 'there are none'}); found ${name}.${meant.length > 0 ? ` Did you mean ${meant.join(' or ')}?` : ''}`,
  );
}

function readText({ partitions, bytesScanned }: QueryResult): string {
  if (partitions === null) return `${bytes(bytesScanned)} scanned`;
  return `${count(partitions.read)} partitions read, ${count(partitions.leftOut)} left out`;
}

export interface QueryOutcome extends RowStream {
  /** What was read of the lake; null for a database. */
  readonly read: string | null;
}

export async function runQuery(
  cli: Cli,
  session: Session,
  { sql, connection }: Query,
  limit: number,
): Promise<QueryOutcome> {
  const readers = await session.readers();
  const options = { limit, signal: cli.signal };
  if (connection !== null) {
    const { columns, rows } = await (await readers.warehouse(connection)).query(sql, options);
    return { columns: columns.map((name) => ({ name, type: 'text' })), rows, read: null };
  }
  const result = await (await readers.queries()).query(sql, options);
  return {
    columns: result.columns,
    rows: result.rows,
    read: readText(result),
  };
}
