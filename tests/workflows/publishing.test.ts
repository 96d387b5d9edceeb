import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { Json } from '../../dag/json.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import type { PartitionSelector } from '../../ports/ledger.ts';
import {
  bronze,
  bronzeDay,
  manifest,
  newRun,
  output,
  publishNow,
  rates,
  reads,
  silver,
  silverSlice,
  writes,
} from '../ports/ledger/fixture.ts';
import { dag, openBench, temporaryFolder } from './harness.ts';

const first = bronzeDay('2026-01-01');

/** What a task kind does: a snapshot of what it reads and writes, then a manifest. */
async function computeInto(
  written: readonly PartitionSelector[],
  { ports, stage }: TaskContext,
  summary: { readonly [key: string]: Json } = {},
): Promise<number> {
  const { snapshot } = await ports.ledger.snapshot([reads(first), ...written.map(writes)]);
  stage(
    manifest(
      snapshot,
      written.map((selector) => output(selector)),
      { summary },
    ),
  );
  return written.length;
}

test('what an attempt staged is published by a step of its own, named after what it publishes', async () => {
  await using bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const loading = dag('loading', {}, ({ task }) => {
    task('load', (_: undefined, context: TaskContext) =>
      computeInto([silverSlice('2026-01-01', 'a'), silverSlice('2026-01-02', 'b')], context),
    );
  });
  await bench.work([loading]);
  const run = await bench.start('loading');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(await bench.activityTypes(run)).toEqual(['loading.load', 'loading.load:publish']);
  const [publication] = await bench.ledger.history({ runId: run.runId });
  expect(publication).toMatchObject({
    taskId: 'load',
    mapIndex: -1,
    attempt: 1,
    build: 'test',
    dagId: 'loading',
  });
  expect(await bench.summaries(run)).toContain('publish shop.silver (2 partitions)');
});

test('an attempt whose snapshot was overtaken computes again from the new one', async () => {
  await using bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const attempts: number[] = [];
  const overtaken = dag('overtaken', {}, ({ task }) => {
    task(
      'load',
      async (_: undefined, context: TaskContext) => {
        attempts.push(context.attempt);
        const count = await computeInto([silverSlice('2026-01-01', 'a')], context);
        if (context.attempt <= 2) {
          const other = newRun();
          await bench.ledger.beginRun(other);
          await publishNow(bench.ledger, other.runId, 'ingest', [first]);
        }
        return count;
      },
      undefined,
      { retries: 0 },
    );
  });
  await bench.work([overtaken]);
  const run = await bench.start('overtaken');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(attempts).toEqual([1, 2, 3]);
  const [publication] = await bench.ledger.history({ runId: run.runId });
  expect(publication).toMatchObject({ attempt: 3 });
  const current = await bench.ledger.partitions(bronze.name);
  expect(publication?.inputs).toEqual([
    { table: bronze.name, partition: 'day=2026-01-01', version: current[0]?.version },
  ]);
});

test('a manifest too long for the history travels through the object store', async () => {
  await using bench = await openBench();
  await using folder = await temporaryFolder();
  const objects = await openFilesystemObjectStore(folder.path);
  await bench.ledger.registerTables([bronze, silver, rates]);
  const wide = dag('wide', {}, ({ task }) => {
    task('load', (_: undefined, context: TaskContext) =>
      computeInto([silverSlice('2026-01-01', 'a')], context, { note: 'x'.repeat(200_000) }),
    );
  });
  await bench.work([wide], { objects });
  const run = await bench.start('wide');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  const [publication] = await bench.ledger.history({ runId: run.runId });
  expect(publication!.summary['note']).toHaveLength(200_000);
  const history = await bench.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  expect(JSON.stringify(history).length).toBeLessThan(100_000);
});

test('what the ledger refuses to publish fails the task with the reason', async () => {
  await using bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const unbalanced = dag('unbalanced', {}, ({ task }) => {
    task(
      'load',
      async (_: undefined, { ports, stage }: TaskContext) => {
        const slice = silverSlice('2026-01-01', 'a');
        const { snapshot } = await ports.ledger.snapshot([writes(slice)]);
        stage(
          manifest(snapshot, [output(slice)], {
            accounts: [{ scope: 'shop', partition: 'day=2026-01-01', read: 10, parts: { curated: 9 } }],
          }),
        );
      },
      undefined,
      { retries: 3 },
    );
  });
  await bench.work([unbalanced]);
  const run = await bench.start('unbalanced');
  expect(await bench.result(run)).toMatchObject({ state: 'failed' });
  expect(await bench.ledger.attempts(run.runId)).toMatchObject([
    { attempt: 1, state: 'failed', failure: { type: 'TerminalError', retryable: false } },
  ]);
  expect(await bench.ledger.partitions(silver.name)).toEqual([]);
});

test('staging twice in one attempt is refused', async () => {
  await using bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const twice = dag('published_twice', {}, ({ task }) => {
    task('load', async (_: undefined, context: TaskContext) => {
      await computeInto([silverSlice('2026-01-01', 'a')], context);
      await computeInto([silverSlice('2026-01-02', 'b')], context);
    });
  });
  await bench.work([twice]);
  const run = await bench.start('published_twice');
  expect((await bench.result(run)).message).toContain('expected one call of stage() in an attempt; found 2');
  expect(await bench.ledger.partitions(silver.name)).toEqual([]);
});
