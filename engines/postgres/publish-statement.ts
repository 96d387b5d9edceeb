import type { PublishRequest } from '../../ports/ledger.ts';
import type { Query } from './database.ts';
import { jsonText } from './json-text.ts';
import type { CheckedOutput } from './publish-checks.ts';

/** Everything a publication changes, in one statement: its sub-statements all see the ledger as it was before. */
const statement = `
with publication as (
  insert into ingot.publications (run_id, task_id, map_index, attempt, published_at, build, sql_hash, contract_hash, engine, verdict, summary, engine_reason)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $19)
  returning id
), output as materialized (
  select o.*, nextval('ingot.versions') as version
    from jsonb_to_recordset($12) as o ("table" text collate "C", "partitionText" text collate "C", partition jsonb,
         files jsonb, rows bigint, bytes bigint, columns jsonb, removed boolean)
), versions as (
  insert into ingot.partition_versions (version, publication_id, table_name, partition, partition_values, rows, bytes, columns, removed)
  select version, id, "table", "partitionText", partition, rows, bytes, columns, removed from output, publication
), files as (
  insert into ingot.version_files (version, position, key, bytes, rows)
  select version, position, file ->> 'key', (file ->> 'bytes')::bigint, (file ->> 'rows')::bigint
    from output, jsonb_array_elements(files) with ordinality as f (file, position)
), superseded as (
  update ingot.partition_versions v set superseded_at = clock_timestamp()
    from ingot.partitions p join output o on p.table_name = o."table" and p.partition = o."partitionText"
   where v.version = p.version
), pointers as (
  insert into ingot.partitions (table_name, partition, partition_values, version, rows, bytes, removed, published_at)
  select "table", "partitionText", partition, version, rows, bytes, removed, $5 from output
  on conflict (table_name, partition) do update set version = excluded.version, rows = excluded.rows,
    bytes = excluded.bytes, removed = excluded.removed, published_at = excluded.published_at
), inputs as (
  insert into ingot.publication_inputs (publication_id, table_name, partition, version)
  select id, "table", partition, version
    from publication, jsonb_to_recordset($13) as i ("table" text, partition text, version bigint)
), rules as (
  insert into ingot.rule_results (publication_id, position, table_name, partition, rule, severity, outcome, checked, failed, details)
  select id, position, "table", partition, rule, severity, outcome, checked, failed, details
    from publication, jsonb_to_recordset($14) as r (position integer, "table" text, partition text, rule text, severity text,
         outcome text, checked bigint, failed bigint, details jsonb)
), accounts as (
  insert into ingot.accounts (scope, partition, read, parts, publication_id)
  select scope, partition, read, parts, id
    from publication, jsonb_to_recordset($15) as a (scope text collate "C", partition text collate "C", read bigint, parts jsonb)
  on conflict (scope, partition) do update set read = excluded.read, parts = excluded.parts, publication_id = excluded.publication_id
), watermarks as (
  insert into ingot.watermarks (name, value, publication_id)
  select name, value, id from publication, jsonb_to_recordset($16) as w (name text collate "C", value jsonb)
  on conflict (name) do update set value = excluded.value, publication_id = excluded.publication_id
), slices as (
  insert into ingot.published_slices (dag_id, task_id, map_index, slice, fingerprint, publication_id)
  select r.dag_id, $2, $3, s.slice, s.fingerprint, publication.id
    from publication, ingot.runs r, jsonb_to_recordset($18) as s (slice text collate "C", fingerprint text collate "C")
   where r.run_id = $1 order by s.slice
  on conflict (dag_id, task_id, map_index, slice) do update set fingerprint = excluded.fingerprint, publication_id = excluded.publication_id
), heads as (
  insert into ingot.asset_heads as h (asset, position) select "table", 1 from output group by "table" order by "table"
  on conflict (asset) do update set position = h.position + 1 returning asset, position
), happened as (
  insert into ingot.asset_events (asset, position, key, at, run_id, dag_id, logical_date, publication_id, payload)
  select h.asset, h.position, 'publication/' || publication.id, $5, $1, r.dag_id, r.logical_date, publication.id,
         jsonb_build_object('task', $2::text, 'partitions', (select count(*) from output o where o."table" = h.asset))
    from heads h, publication, ingot.runs r where r.run_id = $1
), event as (
  insert into ingot.events (key, kind, at, payload) select 'publish:' || id, 'publish', $5, $17 from publication
)
select id from publication`;

/** One row per partition read, however many selectors took it in. */
function inputsOf(request: PublishRequest): readonly object[] {
  const inputs = new Map<string, object>();
  for (const { role, selector, versions } of request.manifest.snapshot.parts)
    if (role === 'input')
      for (const [partition, version] of Object.entries(versions))
        inputs.set(`${selector.table}/${partition}`, { table: selector.table, partition, version });
  return [...inputs.values()];
}

export async function writePublication(
  query: Query,
  request: PublishRequest,
  outputs: readonly CheckedOutput[],
): Promise<number> {
  const { manifest, runId, taskId, mapIndex, attempt } = request;
  const tables = [...new Set(outputs.map((output) => output.table))].sort();
  const rows = await query<{ id: number }>(statement, [
    runId,
    taskId,
    mapIndex,
    attempt,
    request.publishedAt,
    request.build,
    manifest.sqlHash,
    manifest.contractHash,
    manifest.engine,
    manifest.rules.every((rule) => rule.outcome === 'pass') ? 'pass' : 'warn',
    jsonText(manifest.summary),
    jsonText(outputs.map((output) => (output.removed ? { ...output, rows: 0, bytes: 0 } : output))),
    jsonText(inputsOf(request)),
    jsonText(manifest.rules.map((rule, position) => ({ position, ...rule }))),
    jsonText(manifest.accounts),
    jsonText(manifest.watermarks),
    jsonText({ runId, taskId, mapIndex, attempt, tables, partitions: outputs.length }),
    jsonText(manifest.slices ?? []),
    manifest.engineReason ?? null,
  ]);
  return rows[0]!.id;
}
