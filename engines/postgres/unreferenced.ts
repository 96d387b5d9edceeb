import type { PartitionLog } from '../../ports/ledger.ts';
import type { Query } from './database.ts';

/**
 * A version may go when all of this holds: no pointer leads to it; it was superseded before `olderThan` and before the
 * oldest open run began (an open run may hold a snapshot of anything that was current since); and it is neither
 * output nor input of an interval's latest run that did not succeed (that one may be resumed). Its files may go unless a
 * version that stays names them too.
 */
const unreferenced = `
with horizon as (
  select least($1::timestamptz, (select min(begun_at) from ingot.runs where state = 'running')) as at
), resumable as materialized (
  select run_id from (
    select distinct on (workflow_id) run_id, state from ingot.runs order by workflow_id, started_at desc, run_id) latest
   where state <> 'success'
), gone as materialized (
  select v.version from ingot.partition_versions v
   where v.superseded_at < (select at from horizon) and v.forgotten_at is null
     and not exists (select from ingot.partitions p
                      where p.table_name = v.table_name and p.partition = v.partition and p.version = v.version)
     and not exists (select from ingot.publications b join resumable using (run_id) where b.id = v.publication_id)
     and not exists (select from ingot.publication_inputs i join ingot.publications b on b.id = i.publication_id
                       join resumable using (run_id) where i.version = v.version)
)
select f.version, f.key, f.bytes from ingot.version_files f join gone using (version)
 where not exists (select from ingot.version_files k where k.key = f.key and k.version not in (select version from gone))
 order by f.version, f.position`;

export function readUnreferenced(
  query: Query,
  olderThan: string,
): ReturnType<PartitionLog['unreferencedFiles']> {
  return query<{ version: number; key: string; bytes: number }>(unreferenced, [olderThan]);
}

/** History keeps the versions; only their files are struck. A version that is a pointer's is left alone. */
export async function forgetVersions(query: Query, versions: readonly number[]): Promise<void> {
  await query(
    `with forgotten as (
       update ingot.partition_versions v set forgotten_at = clock_timestamp()
        where v.version = any($1) and v.superseded_at is not null returning v.version
     )
     delete from ingot.version_files f using forgotten where f.version = forgotten.version`,
    [versions],
  );
}

export async function readReferencedKeys(query: Query, prefix: string): Promise<ReadonlySet<string>> {
  const rows = await query<{ key: string }>('select key from ingot.version_files where key ^@ $1', [prefix]);
  return new Set(rows.map((row) => row.key));
}
