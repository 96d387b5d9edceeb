import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contract, ownDate, sqlModel } from '../../activities/index.ts';
import type { Ports, TaskContext } from '../../activities/task-context.ts';
import { openDuckDbSqlEngine } from '../../engines/duckdb/sql-engine.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import type { RunView } from '../../ports/run-steps.ts';
import { cancelRun, type RunHandle } from '../../workers/client.ts';
import { changeOpenRun } from '../../workers/operate.ts';
import { backgroundCluster, type BackgroundCluster } from '../support/background-cluster.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, temporaryFolder, type Bench } from './harness.ts';

const numbers = contract({
  table: 'far.numbers',
  zone: 'silver',
  description: 'Numbers made far away.',
  partitionBy: ['day'],
  columns: { day: 'date', n: 'bigint' },
});

const folder = new URL('models/', import.meta.url);
const far = (engine: 'spark' | 'auto') =>
  sqlModel({ folder, reads: {}, writes: { numbers: { to: numbers, owns: ownDate('day') } }, engine });

const meanwhile: string[] = [];
let bodies = 0;

const one = (id: string, timeout: '1h' | '3s' = '1h') =>
  dag(id, {}, ({ task }) => {
    task('compute', far('spark'), {}, { timeout, retries: 0 });
  });
const beside = dag('far-beside', {}, ({ task }) => {
  const first = task('compute', far('spark'), {}, { retries: 0 });
  task('other', () => void meanwhile.push('other'));
  task('after', () => void meanwhile.push('after')).after(first);
});
/** What must be done once is done once, however often the body begins. */
const remembering = dag('far-remembering', {}, ({ task }) => {
  task('wait', async (_: undefined, context: TaskContext) => {
    bodies += 1;
    const made = await context.remember('first', async () => `made by ${bodies}`);
    const cluster = context.ports.cluster!.cluster as BackgroundCluster;
    const origin = { dagId: '', taskId: '', runId: '', workflowId: '', timeoutMs: 1 };
    const empty = { inputs: [], inline: [], steps: [], outputs: [], measures: [] };
    for (const part of ['a', 'b'])
      await context.awaitJob(await cluster.submit({ id: `${context.run.id}/${part}`, ...empty }, origin));
    return { made, bodies };
  });
});
const small = dag('far-small', {}, ({ task }) => {
  task('compute', far('auto'), {}, { retries: 0 });
});

let bench: Bench;
let lake: Awaited<ReturnType<typeof temporaryFolder>>;
let parts: Pick<Ports, 'objects' | 'sql'> & { readonly close: () => Promise<void> };
let gate = Promise.withResolvers<void>();
let cluster: BackgroundCluster;

beforeAll(async () => {
  bench = await openBench();
  lake = await temporaryFolder();
  const objects = await openFilesystemObjectStore(join(lake.path, 'lake'));
  const spillFolder = join(lake.path, 'spill');
  const sql = await openDuckDbSqlEngine({ objects, memoryLimitBytes: 256 << 20, spillFolder, threads: 1 });
  parts = { objects, sql, close: () => sql.close() };
  cluster = backgroundCluster(sql, () => gate.promise);
  const use = { cluster, preference: 'auto', fromBytes: 1 } as const;
  await bench.work(
    [
      one('far-one'),
      one('far-cancelled'),
      one('far-marked'),
      one('far-late', '3s'),
      beside,
      remembering,
      small,
    ],
    {
      objects,
      sql,
      cluster: use,
    },
  );
});
afterAll(async () => {
  gate.resolve();
  await bench[Symbol.asyncDispose]();
  await parts.close();
  await lake[Symbol.asyncDispose]();
});

async function submittedBy(run: RunHandle): Promise<string> {
  return eventually('the job to be submitted', async () => {
    const found = [...cluster.started].find(([, { origin }]) => origin.runId === run.runId);
    return found?.[0] ?? null;
  });
}

/** Until the attempt has left its worker. */
async function waits(run: RunHandle): Promise<void> {
  const handle = bench.client.workflow.getHandle(run.workflowId, run.runId);
  await eventually('the attempt to wait for its job', async () => {
    const pending = (await handle.describe()).raw.pendingActivities ?? [];
    return pending.some(({ activityType }) => activityType?.name === 'ingot.lookAtJob') || null;
  });
}

const looks = async (run: RunHandle) =>
  (await bench.activityTypes(run)).filter((type) => type === 'ingot.lookAtJob').length;

test('an attempt leaves its worker while its job runs, others go on, and what the job made is published once', async () => {
  gate = Promise.withResolvers();
  const run = await bench.start('far-beside');
  const jobId = await submittedBy(run);
  await waits(run);
  await eventually('the task beside it', async () => meanwhile.includes('other') || null);
  expect(meanwhile).toEqual(['other']);
  expect(await bench.ledger.partitions(numbers.name)).toEqual([]);
  gate.resolve();
  expect((await bench.result(run)).state).toBe('success');
  expect(meanwhile).toEqual(['other', 'after']);
  expect([...cluster.started.keys()].filter((id) => id === jobId)).toHaveLength(1);
  const [publication] = await bench.ledger.history({ table: numbers.name, runId: run.runId });
  expect(publication).toMatchObject({ engine: 'background', engineReason: 'the model says spark' });
  expect(publication!.outputs).toMatchObject([{ rows: 3, partition: { day: '2026-01-01' } }]);
  // However long it runs, a wait is one activity.
  expect(await looks(run)).toBe(1);
});

test('who hears of a job’s end tells the run, which looks at once', async () => {
  gate = Promise.withResolvers();
  const run = await bench.start('far-one');
  const jobId = await submittedBy(run);
  await waits(run);
  const handle = bench.client.workflow.getHandle(run.workflowId, run.runId);
  await handle.signal('ingot.jobEnded', { service: 'background', id: 'another' });
  expect(await looks(run)).toBe(1);
  gate.resolve();
  await handle.signal('ingot.jobEnded', cluster.external(jobId));
  await handle.signal('ingot.jobEnded', cluster.external(jobId));
  expect((await bench.result(run)).state).toBe('success');
  expect(await looks(run)).toBe(2);
});

test('cancelling a run stops its job, and nothing is published', async () => {
  gate = Promise.withResolvers();
  const run = await bench.start('far-cancelled');
  const jobId = await submittedBy(run);
  await waits(run);
  const handle = bench.client.workflow.getHandle(run.workflowId, run.runId);
  const { tasks } = await handle.query<RunView>('progress');
  expect(tasks).toMatchObject([{ state: 'running', job: cluster.external(jobId) }]);
  await cancelRun(bench.client, run);
  expect((await bench.result(run)).state).toBe('cancelled');
  expect(cluster.stopped).toContain(cluster.external(jobId).id);
  gate.resolve();
  expect(await bench.ledger.history({ table: numbers.name, runId: run.runId })).toEqual([]);
});

test('marking the task as failed stops its job', async () => {
  gate = Promise.withResolvers();
  const run = await bench.start('far-marked');
  const jobId = await submittedBy(run);
  await waits(run);
  const change = { type: 'task_marked', key: 'compute', as: 'failed', output: null, by: 'tests' } as const;
  await changeOpenRun(bench.client, run, change);
  expect((await bench.result(run)).state).toBe('failed');
  await eventually(
    'the job to be stopped',
    async () => cluster.stopped.includes(cluster.external(jobId).id) || null,
  );
});

test('a job that outlives its attempt’s time is stopped, and the attempt has timed out', async () => {
  gate = Promise.withResolvers();
  const run = await bench.start('far-late');
  const jobId = await submittedBy(run);
  expect((await bench.result(run)).state).toBe('failed');
  expect((await bench.ledger.run(run.runId))?.failure).toMatchObject({ type: 'Timeout', task: 'compute' });
  expect(cluster.stopped).toContain(cluster.external(jobId).id);
});

test('a body that waits for several jobs begins again after each, with what it remembered at first', async () => {
  gate = Promise.withResolvers();
  bodies = 0;
  const run = await bench.start('far-remembering');
  await waits(run);
  gate.resolve();
  expect((await bench.result(run)).state).toBe('success');
  const [attempt] = await bench.ledger.attempts(run.runId);
  expect(attempt!.output).toMatchObject({ made: 'made by 1' });
  expect(bodies).toBeGreaterThanOrEqual(2);
});

test('what is small stays in the worker, and the publication says why', async () => {
  const run = await bench.start('far-small');
  expect((await bench.result(run)).state).toBe('success');
  const [publication] = await bench.ledger.history({ table: numbers.name, runId: run.runId });
  expect(publication).toMatchObject({
    engine: 'duckdb',
    engineReason: 'auto: inputs of 0 KiB, less than 1 KiB',
  });
  expect([...cluster.started.values()].some(({ origin }) => origin.runId === run.runId)).toBe(false);
});
