import type { Json } from '../../dag/json.ts';
import type { Account, PartitionLog, Publication, RuleResult } from '../../ports/ledger.ts';
import type { Query } from './database.ts';

/** Publications with all they wrote and read, newest first. */
export function readPublications(query: Query, ids: readonly number[]): Promise<Publication[]> {
  return query<Publication>(
    `select p.id, p.run_id as "runId", r.workflow_id as "workflowId", r.dag_id as "dagId", p.task_id as "taskId",
            p.map_index as "mapIndex", p.attempt, p.published_at as "publishedAt", r.plan_hash as "planHash", p.build,
            p.sql_hash as "sqlHash", p.contract_hash as "contractHash", p.engine, p.engine_reason as "engineReason", p.verdict, p.summary,
            coalesce(o.outputs, '[]') as outputs, coalesce(i.inputs, '[]') as inputs
       from ingot.publications p join ingot.runs r using (run_id)
       left join lateral (
         select json_agg(json_build_object('table', v.table_name, 'partition', v.partition_values,
                  'files', coalesce((select json_agg(json_build_object('key', f.key, 'bytes', f.bytes, 'rows', f.rows) order by f.position)
                                       from ingot.version_files f where f.version = v.version), '[]'),
                  'rows', v.rows, 'bytes', v.bytes, 'columns', v.columns, 'removed', v.removed)
                order by v.table_name, v.partition) as outputs
           from ingot.partition_versions v where v.publication_id = p.id) o on true
       left join lateral (
         select json_agg(json_build_object('table', n.table_name, 'partition', n.partition, 'version', n.version)
                order by n.table_name, n.partition) as inputs
           from ingot.publication_inputs n where n.publication_id = p.id) i on true
      where p.id = any($1) order by p.id desc`,
    [ids],
  );
}

type HistoryFilter = Parameters<PartitionLog['history']>[0];

async function publicationIds(query: Query, filter: HistoryFilter): Promise<readonly number[]> {
  const limit = filter.limit ?? 50;
  const rows =
    filter.table === undefined && filter.partition === undefined
      ? await query<{ id: number }>(
          `select id from ingot.publications where $1::text is null or run_id = $1 order by id desc limit $2`,
          [filter.runId ?? null, limit],
        )
      : await query<{ id: number }>(
          `select distinct v.publication_id as id
             from ingot.partition_versions v join ingot.publications p on p.id = v.publication_id
            where ($1::text is null or v.table_name = $1) and ($2::text is null or v.partition = $2)
              and ($3::text is null or p.run_id = $3)
            order by id desc limit $4`,
          [filter.table ?? null, filter.partition ?? null, filter.runId ?? null, limit],
        );
  return rows.map((row) => row.id);
}

export async function readHistory(query: Query, filter: HistoryFilter): Promise<readonly Publication[]> {
  return readPublications(query, await publicationIds(query, filter));
}

export function readAccounts(query: Query, scope: string): Promise<(Account & { publicationId: number })[]> {
  return query(
    `select scope, partition, read, parts, publication_id as "publicationId"
       from ingot.accounts where scope = $1 order by partition`,
    [scope],
  );
}

type RuleFilter = Parameters<PartitionLog['ruleResults']>[0];

/** Without a publication: for each partition what each task said of it last. */
export function readRuleResults(
  query: Query,
  filter: RuleFilter,
): Promise<(RuleResult & { publicationId: number })[]> {
  return query(
    `select "table", partition, rule, severity, outcome, checked, failed, details, "publicationId"
       from (select r.table_name as "table", r.partition, r.rule, r.severity, r.outcome, r.checked, r.failed, r.details, r.position,
                    r.publication_id as "publicationId",
                    max(r.publication_id) over (partition by r.table_name, r.partition, u.dag_id, p.task_id) as latest
               from ingot.rule_results r join ingot.publications p on p.id = r.publication_id join ingot.runs u using (run_id)
              where ($1::text is null or r.table_name = $1) and ($2::text is null or r.partition = $2)
                and ($3::bigint is null or r.publication_id = $3)) said
      where "publicationId" = latest
      order by "table", partition, "publicationId", position`,
    [filter.table ?? null, filter.partition ?? null, filter.publicationId ?? null],
  );
}

export async function readWatermark(query: Query, name: string): Promise<Json> {
  const rows = await query<{ value: Json }>('select value from ingot.watermarks where name = $1', [name]);
  return rows[0]?.value ?? null;
}
