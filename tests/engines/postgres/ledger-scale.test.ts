import { expect, inject, test, vi } from 'vitest';
import { bronze, bronzeDay, openRun, publishNow } from '../../ports/ledger/fixture.ts';
import { databases } from './databases.ts';
import { ledgersOn } from './ledger-fixture.ts';

const server = databases(inject('postgresUrl'));
const open = ledgersOn(inject('postgresUrl'));

/** Ten thousand runs of ten DAGs, each with one publication of a table of its DAG's. */
const tenThousand = `
  insert into ingot.tables select 'dag' || n || '.table', 'gold', '[]', '{day}' from generate_series(0, 9) n;
  insert into ingot.runs (run_id, workflow_id, dag_id, type, state, logical_date, interval_start, interval_end, params, plan_hash,
                          build, started_at, ended_at)
    select 'run-' || i, 'dag' || i % 10 || '-' || i / 10, 'dag' || i % 10, 'scheduled', 'success', at, at, at, '{}', p.hash, 'b', at, at
      from generate_series(1, 10000) i, lateral (select timestamptz '2020-01-01Z' + i * interval '1 hour' as at) t, ingot.plans p;
  insert into ingot.publications (run_id, task_id, map_index, attempt, published_at, build, verdict, summary)
    select 'run-' || i, 'load', -1, 1, now(), 'b', 'pass', '{}' from generate_series(1, 10000) i;
  insert into ingot.partition_versions
    select nextval('ingot.versions'), p.id, r.dag_id || '.table', 'day=' || p.id, jsonb_build_object('day', p.id::text), 1, 1, '{}', false
      from ingot.publications p join ingot.runs r using (run_id) where r.run_id like 'run-%' order by p.id;
  insert into ingot.partitions
    select table_name, partition, partition_values, version, rows, bytes, removed, now() from ingot.partition_versions
     where table_name like 'dag%';
  analyze`;

const readRows = `
  select coalesce(sum(seq_tup_read), 0)::float as sequential, coalesce(sum(idx_tup_fetch), 0)::float as indexed
    from pg_stat_user_tables where schemaname = 'ingot'`;

async function rowsRead(url: string): Promise<{ sequential: number; indexed: number }> {
  return (await server.query<{ sequential: number; indexed: number }>(url, readRows))[0]!;
}

test('lists of runs and history read what they show, not what there is', async () => {
  await using fixture = await open();
  const { ledger } = fixture;
  await ledger.registerTables([bronze]);
  const runId = await openRun(ledger);
  await publishNow(ledger, runId, 'load', [bronzeDay('2026-01-01')]);
  await ledger.endRun(runId, 'success', '2026-01-02T00:10:00Z', null);
  await server.query(fixture.url, tenThousand);
  const reader = await fixture.another();
  const before = await rowsRead(fixture.url);
  expect(await reader.runs({})).toHaveLength(50);
  expect(await reader.runs({ dagId: 'dag3', limit: 20 })).toHaveLength(20);
  expect(await reader.runs({ workflowId: 'dag3-77' })).toHaveLength(1);
  expect(await reader.runs({ state: 'running' })).toHaveLength(0);
  expect(await reader.runs({ dagId: 'dag3', state: 'failed' })).toHaveLength(0);
  expect(await reader.history({ limit: 20 })).toHaveLength(20);
  expect(await reader.history({ table: 'dag3.table', limit: 20 })).toHaveLength(20);
  expect(await reader.history({ table: 'dag3.table', partition: 'day=4' })).toHaveLength(1);
  expect(await reader.history({ runId: 'run-500' })).toHaveLength(1);
  await reader.close();
  await vi.waitFor(async () => expect((await rowsRead(fixture.url)).indexed).toBeGreaterThan(before.indexed));
  const after = await rowsRead(fixture.url);
  expect(after.sequential - before.sequential).toBeLessThan(100);
  expect(after.indexed - before.indexed).toBeLessThan(2_000);
});
