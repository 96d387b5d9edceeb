import type { LeftUnchanged, PublishedSlice, SliceLog } from '../../ports/slices.ts';
import type { Database } from './database.ts';

export function postgresSliceLog(db: Database): SliceLog {
  return {
    publishedSlices: ({ dagId, taskId, mapIndex }, slices) =>
      db.query<PublishedSlice>(
        `select s.slice, s.fingerprint, s.publication_id as "publicationId", p.summary,
                coalesce((select json_agg(json_build_object('table', v.table_name, 'partition', v.partition, 'version', v.version))
                            from ingot.partition_versions v where v.publication_id = s.publication_id and not v.removed), '[]') as outputs
           from ingot.published_slices s join ingot.publications p on p.id = s.publication_id
          where s.dag_id = $1 and s.task_id = $2 and s.map_index = $3 and s.slice = any($4)
          order by s.slice`,
        [dagId, taskId, mapIndex, slices],
      ),
    leftUnchanged: async (backfillId) => {
      // A task that was tried again said it again: its last attempt counts.
      const rows = await db.query<LeftUnchanged>(
        `select count(distinct "runId")::int as runs, count(*)::int as tasks, coalesce(sum(partitions), 0)::int as partitions
           from (select distinct on (e.payload ->> 'runId', e.payload ->> 'task') e.payload ->> 'runId' as "runId",
                        (e.payload ->> 'partitions')::int as partitions
                   from ingot.backfill_intervals i
                   join ingot.events e on e.kind = 'left_unchanged' and e.payload ->> 'runId' = i.run_id
                  where i.backfill_id = $1
                  order by e.payload ->> 'runId', e.payload ->> 'task', e.position desc) told`,
        [backfillId],
      );
      return rows[0]!;
    },
  };
}
