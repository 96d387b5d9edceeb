import type { PartitionVersion, SnapshotPart } from '../../ports/ledger.ts';
import type { Query } from './database.ts';
import { jsonText } from './json-text.ts';
import type { BoundSelector } from './selectors.ts';

/**
 * What selectors stand for now, as SQL over the JSON parameter `selectors`: rows of (part, partition, version). A removed
 * partition counts as absent. Single partitions go through the primary key, filters through the table's pointers.
 */
export const currentVersions = (selectors: string): string => `
  select s.part, p.partition, p.version
    from jsonb_to_recordset(${selectors}) as s (part integer, "table" text collate "C", partition text collate "C")
    join ingot.partitions p on p.table_name = s."table" and p.partition = s.partition and not p.removed
   where s.partition is not null
  union all
  select s.part, p.partition, p.version
    from jsonb_to_recordset(${selectors}) as s (part integer, "table" text collate "C", partition text, filter jsonb)
    join ingot.partitions p on p.table_name = s."table" and not p.removed
   where s.partition is null
     and not exists (select from jsonb_each(s.filter) f where not f.value ? (p.partition_values ->> f.key))`;

export interface CurrentVersion {
  readonly part: number;
  readonly partition: string;
  readonly version: number;
}

export function selectorsJson(selectors: readonly BoundSelector[]): string {
  return jsonText(selectors.map((selector, part) => ({ part, ...selector })));
}

/** Versions by partition for each selector; the one partition of a selector by values is always there, null if absent. */
export function versionsByPart(
  selectors: readonly BoundSelector[],
  rows: readonly CurrentVersion[],
): readonly SnapshotPart['versions'][] {
  const parts = selectors.map((selector): Record<string, number | null> =>
    selector.partition === null ? {} : { [selector.partition]: null },
  );
  for (const row of rows) parts[row.part]![row.partition] = row.version;
  return parts;
}

/** One statement, so one instant for everything. */
export async function readCurrent(
  query: Query,
  selectors: readonly BoundSelector[],
): Promise<{ readonly current: readonly CurrentVersion[]; readonly versions: readonly PartitionVersion[] }> {
  const rows = await query<
    CurrentVersion & Omit<PartitionVersion, 'partition'> & { values: PartitionVersion['partition'] }
  >(
    `select c.part, c.partition, c.version, v.table_name as "table", v.partition_values as values,
            v.partition as "partitionText", v.publication_id as "publicationId", v.rows, v.bytes,
            coalesce((select json_agg(json_build_object('key', f.key, 'bytes', f.bytes, 'rows', f.rows) order by f.position)
                        from ingot.version_files f where f.version = v.version), '[]') as files
       from (${currentVersions('$1')}) c join ingot.partition_versions v using (version)
      order by v.table_name, v.partition`,
    [selectorsJson(selectors)],
  );
  const versions = new Map<number, PartitionVersion>();
  for (const { table, values, partitionText, version, publicationId, files, rows: count, bytes } of rows)
    versions.set(version, {
      table,
      partition: values,
      partitionText,
      version,
      publicationId,
      files,
      rows: count,
      bytes,
    });
  return { current: rows, versions: [...versions.values()] };
}
