import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import { startRun, watchRun } from '../../workers/client.ts';
import { eventually } from '../support/processes.ts';
import { dag, day, openBench, type Bench } from './harness.ts';

const diamond = dag('diamond', {}, ({ task }) => {
  const source = task('source', () => ({ numbers: [1, 2, 3] }), undefined, { summary: 'three numbers' });
  const sum = task(
    'sum',
    ({ numbers }: { numbers: readonly number[] }) => numbers.reduce((a, b) => a + b, 0),
    {
      numbers: source.output.numbers,
    },
  );
  const count = task('count', ({ numbers }: { numbers: readonly number[] }) => numbers.length, {
    numbers: source.output.numbers,
  });
  task('mean', ({ total, of }: { total: number; of: number }) => total / of, { total: sum, of: count });
});

const regions = dag('regions', {}, ({ task, map, branch }) => {
  const list = task('list', () => ['de', 'fr', 'it']);
  const loaded = map('load', list, (region: string) => `${region}!`);
  const choice = branch(
    'choose',
    ['join', 'alarm'],
    (all: readonly string[]) => (all.length === 3 ? 'join' : 'alarm'),
    loaded,
  );
  task('join', (all: readonly string[]) => all.join(' '), loaded).after(choice);
  task('alarm', () => 'never').after(choice);
});

const seen = dag(
  'seen',
  { params: { days: { type: 'integer', default: 3 } } },
  ({ task, params, interval, run }) => {
    task(
      'look',
      (
        input: { days: number; start: string; type: string },
        { attempt, params: all, interval: covered, attemptPrefix, run: own }: TaskContext,
      ) => ({
        input,
        attempt,
        all,
        end: covered.end,
        prefix: attemptPrefix('seen.table').replace(own.id, '<run>'),
      }),
      { days: params.days, start: interval.start, type: run.type },
    );
  },
);

const broken = dag('broken', {}, ({ task }) => {
  const first = task('first', () => Promise.reject(new TypeError('no such file')), undefined, { retries: 0 });
  task('second', () => 1).after(first);
});

const slow = dag('slow', {}, ({ task }) => {
  const begin = task('begin', () => released.promise);
  task('end', () => 1).after(begin);
});
let released = Promise.withResolvers<void>();

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.work([diamond, regions, seen, broken, slow]);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

test('a run walks its graph, hands outputs on, and the ledger tells it afterwards', async () => {
  const run = await bench.start('diamond');
  expect(await bench.result(run)).toMatchObject({ state: 'success', summary: { tasks: { success: 4 } } });
  const record = await bench.ledger.run(run.runId);
  expect(record).toMatchObject({
    workflowId: 'diamond-2026-01-02T00:00:00Z',
    state: 'success',
    dagId: 'diamond',
    type: 'manual',
    build: 'test',
    failure: null,
  });
  expect((await bench.ledger.plan(record!.planHash))?.dagId).toBe('diamond');
  const attempts = await bench.ledger.attempts(run.runId);
  expect(attempts.find((each) => each.taskId === 'mean')).toMatchObject({
    state: 'success',
    attempt: 1,
    output: 2,
  });
  for (const { worker, startedAt, endedAt } of attempts) {
    expect(worker).toMatch(/^\d+@/);
    expect(Date.parse(startedAt!)).toBeLessThanOrEqual(Date.parse(endedAt!));
  }
  expect(await bench.ledger.events({ keyPrefix: `run/${run.runId}/` })).toMatchObject([
    { kind: 'run_success' },
  ]);
});

test('a chain without data costs one local activity at each end and one activity per task', async () => {
  const run = await bench.start('diamond');
  await bench.result(run);
  const types = await bench.activityTypes(run);
  expect(types.toSorted()).toEqual(['diamond.count', 'diamond.mean', 'diamond.source', 'diamond.sum']);
});

test('mapped tasks, branches and skips reach the ledger as the reducer has them', async () => {
  const run = await bench.start('regions');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(await bench.states(run)).toEqual({
    list: 'success',
    load: 'success',
    'load[0]': 'success',
    'load[1]': 'success',
    'load[2]': 'success',
    choose: 'success',
    join: 'success',
    alarm: 'skipped',
  });
  const attempts = await bench.ledger.attempts(run.runId);
  expect(attempts.find((each) => each.taskId === 'join')?.output).toBe('de! fr! it!');
});

test('a body sees its input, the run, the interval, the params and a place of its own', async () => {
  const run = await bench.start('seen', { params: { days: 7 } });
  await bench.result(run);
  const [attempt] = await bench.ledger.attempts(run.runId);
  expect(attempt?.output).toEqual({
    input: { days: 7, start: day.start, type: 'manual' },
    attempt: 1,
    all: { days: 7 },
    end: day.end,
    prefix: 'data/seen.table/<run>/look/1.1/',
  });
});

test('params that do not fit end the run before anything of it exists', async () => {
  const run = await bench.start('seen', { params: { days: 'many', weeks: 1 } });
  const { state, message } = await bench.result(run);
  expect(state).toBe('failed');
  expect(message).toContain('an integer');
  expect(message).toContain('weeks');
  expect(await bench.ledger.run(run.runId)).toBeNull();
});

test.each([
  [[]],
  [
    [
      {
        interval: { start: '2026-01-02T00:00:00Z', end: '2026-01-01T00:00:00Z' },
        type: 'manual',
        params: {},
      },
    ],
  ],
  [['today']],
])('a run started by other means with the input %j ends with what was expected', async (args) => {
  const handle = await bench.client.workflow.start('diamond', {
    workflowId: `by-hand-${crypto.randomUUID()}`,
    taskQueue: bench.taskQueue,
    args,
  });
  const result = await bench.result({ workflowId: handle.workflowId, runId: handle.firstExecutionRunId });
  expect(result.state).toBe('failed');
  expect(result.message).toMatch(/^a run of diamond: expected \{ type: .* Start runs with `ingot run`/);
});

test('a run started by other means with the right input has its search attributes in the end', async () => {
  const handle = await bench.client.workflow.start('diamond', {
    workflowId: `by-hand-${crypto.randomUUID()}`,
    taskQueue: bench.taskQueue,
    args: [{ type: 'manual', interval: day, params: {} }],
  });
  await handle.result();
  const { typedSearchAttributes } = await handle.describe();
  const found = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  expect(found).toMatchObject({ IngotDag: 'diamond', IngotRunType: 'manual', IngotState: 'success' });
});

test('a failed run names the tasks that failed and the first error', async () => {
  const run = await bench.start('broken');
  expect(await bench.result(run)).toEqual({
    state: 'failed',
    summary: null,
    message: 'Failed: first. first: TypeError: no such file',
  });
  expect(await bench.ledger.run(run.runId)).toMatchObject({
    state: 'failed',
    failure: { task: 'first', type: 'TypeError', message: 'no such file' },
  });
  expect(await bench.states(run)).toEqual({ first: 'failed', second: 'upstream_failed' });
  const events = await bench.ledger.events({ keyPrefix: `run/${run.runId}/` });
  expect(events.map((event) => event.kind).toSorted()).toEqual(['run_failed', 'task_failed']);
});

test('one interval has one open run, whoever starts it', async () => {
  released = Promise.withResolvers();
  const run = await bench.start('slow');
  await expect(
    startRun(bench.client, { taskQueue: bench.taskQueue, dagId: 'slow', interval: day, type: 'scheduled' }),
  ).rejects.toThrow(/expected no open run of this interval; found slow-2026-01-02T00:00:00Z is open/);
  released.resolve();
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  const again = await bench.start('slow');
  expect(again.runId).not.toBe(run.runId);
  expect(await bench.result(again)).toMatchObject({ state: 'success' });
});

test('a run can be watched from its first task to its end', async () => {
  released = Promise.withResolvers();
  const run = await bench.start('slow');
  const seenStates: string[] = [];
  for await (const view of watchRun(bench.client, run, { everyMs: 20 })) {
    const state = view.tasks.map((task) => `${task.key}:${task.state}`).join(' ');
    if (seenStates.at(-1) !== state) seenStates.push(state);
    if (state === 'begin:running end:none') released.resolve();
    if (view.state !== 'running')
      expect(view).toMatchObject({ state: 'success', dagId: 'slow', runId: run.runId });
  }
  expect(seenStates).toContain('begin:running end:none');
  expect(seenStates.at(-1)).toBe('begin:success end:success');
});

test('while tasks run the ledger follows, and the Temporal UI has a table of them', async () => {
  released = Promise.withResolvers();
  const run = await bench.start('slow');
  await eventually('the running task in the ledger', async () => {
    const attempts = await bench.ledger.attempts(run.runId);
    return attempts.some((each) => each.taskId === 'begin' && each.state === 'running') || null;
  });
  const metadata = await bench.client.workflow
    .getHandle(run.workflowId, run.runId)
    .query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(metadata.currentDetails).toContain('| begin | running | 1 |');
  released.resolve();
  await bench.result(run);
  expect(await bench.states(run)).toEqual({ begin: 'success', end: 'success' });
});

test('runs are found by DAG, logical date, type, state and plan', async () => {
  const run = await bench.start('diamond', {
    interval: { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' },
  });
  await bench.result(run);
  const record = await bench.ledger.run(run.runId);
  const query = `IngotDag = 'diamond' and IngotLogicalDate between '2026-03-01T00:00:00Z' and '2026-03-01T00:00:01Z' and IngotRunType = 'manual' and IngotState = 'success' and IngotPlanHash = '${record!.planHash}'`;
  await eventually('the run in visibility', async () => {
    for await (const found of bench.client.workflow.list({ query }))
      if (found.runId === run.runId) return true;
    return null;
  });
});
