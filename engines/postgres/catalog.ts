import type { Table } from '../../dag/relation.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { PartitionLog } from '../../ports/ledger.ts';
import { takeLocks } from './advisory-locks.ts';
import type { Database, Query } from './database.ts';
import { jsonText } from './json-text.ts';
import type { Layouts } from './selectors.ts';

export const tableLock = (table: string): string => `table:${table}`;

export async function readLayouts(query: Query, tables: Iterable<string>): Promise<Layouts> {
  const rows = await query<{ name: string; partitionBy: string[] }>(
    'select name, partition_by as "partitionBy" from ingot.tables where name = any($1)',
    [[...new Set(tables)]],
  );
  return new Map(rows.map((row) => [row.name, row.partitionBy]));
}

/** What is published is named by the partition columns, so these stay once anything is. */
async function refuseNewLayout(query: Query, tables: readonly Table[]): Promise<void> {
  const rows = await query<{ name: string; partitionBy: string[] }>(
    `select name, partition_by as "partitionBy" from ingot.tables t
      where name = any($1) and exists (select from ingot.partitions p where p.table_name = t.name)`,
    [tables.map((table) => table.name)],
  );
  const published = new Map(rows.map((row) => [row.name, row.partitionBy]));
  for (const table of tables) {
    const before = published.get(table.name);
    if (before === undefined || before.join() === table.partitionBy.join()) continue;
    throw new TerminalError({
      place: `table ${table.name}`,
      expected: `the partition columns it was published with (${before.join(', ') || 'none'})`,
      found: table.partitionBy.join(', ') || 'none',
      remedy: 'Give the table with the new partitioning a new name.',
    });
  }
}

async function unregistered(query: Query, tables: readonly Table[]): Promise<readonly Table[]> {
  const rows = await query<{ name: string }>(
    `select name from jsonb_to_recordset($1)
         as n (name text collate "C", zone text, columns jsonb, "partitionBy" text[], description text)
       join ingot.tables t using (name)
      where (t.zone, t.columns, t.partition_by, t.description)
            is not distinct from (n.zone, n.columns, n."partitionBy", n.description)`,
    [jsonText(tables)],
  );
  const same = new Set(rows.map((row) => row.name));
  return tables.filter((table) => !same.has(table.name));
}

export async function registerTables(db: Database, given: readonly Table[]): Promise<void> {
  const tables = [...new Map(given.map((table) => [table.name, table])).values()];
  if ((await unregistered(db.query, tables)).length === 0) return;
  await db.transaction(async (query) => {
    await takeLocks(
      query,
      tables.map((table) => ({ name: tableLock(table.name), mode: 'exclusive' })),
    );
    await refuseNewLayout(query, tables);
    await query(
      `insert into ingot.tables as t (name, zone, columns, partition_by, description)
       select name, zone, columns, "partitionBy", description from jsonb_to_recordset($1)
           as n (name text collate "C", zone text, columns jsonb, "partitionBy" text[], description text)
        order by name
       on conflict (name) do update set zone = excluded.zone, columns = excluded.columns,
         partition_by = excluded.partition_by, description = excluded.description`,
      [jsonText(tables)],
    );
  });
}

type CatalogEntry = Awaited<ReturnType<PartitionLog['tables']>>[number];

export async function readCatalog(query: Query): Promise<readonly CatalogEntry[]> {
  const rows = await query<Omit<CatalogEntry, 'description'> & { description: string | null }>(
    `select t.name, t.zone, t.columns, t.partition_by as "partitionBy", t.description,
            count(p.version) filter (where not p.removed) as partitions,
            coalesce(sum(p.rows), 0)::bigint as rows, coalesce(sum(p.bytes), 0)::bigint as bytes,
            max(p.published_at) as "updatedAt"
       from ingot.tables t left join ingot.partitions p on p.table_name = t.name
      group by t.name order by t.name`,
  );
  return rows.map(({ description, ...entry }) => (description === null ? entry : { ...entry, description }));
}
