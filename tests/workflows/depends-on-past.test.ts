import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { RunView } from '../../ports/run-steps.ts';
import { cancelRun, type RunHandle } from '../../workers/client.ts';
import { eventually } from '../support/processes.ts';
import { create, day as dayOfYear, ended } from './backfill-parts.ts';
import { dag, openBench, type Bench } from './harness.ts';

const options = { schedule: '@daily', startDate: '2026-01-01', dependsOnPast: true };

function startDay(bench: Bench, dagId: string, index: number): Promise<RunHandle> {
  return bench.start(dagId, { interval: dayOfYear(index) });
}

function waitOf(bench: Bench, run: RunHandle, key: string) {
  return eventually(`${key} of ${run.workflowId} to wait for its past`, async () => {
    const view = await bench.client.workflow
      .getHandle(run.workflowId, run.runId)
      .query<RunView>('progress')
      .catch(() => null);
    const waiting = view?.tasks.find((task) => task.key === key)?.waitingFor;
    return waiting?.reason === 'past' ? waiting.past : null;
  });
}

/** Which day a body works on. */
function dayOf({ interval }: TaskContext): string {
  return interval.start.slice(8, 10);
}

test('runs that depend on the past run in order, task by task, however they are started', async () => {
  await using bench = await openBench();
  const order: string[] = [];
  const say = (task: string) => (_: undefined, context: TaskContext) =>
    void order.push(`${task} ${dayOf(context)}`);
  await bench.work([
    dag('ordered', options, ({ task, map }) => {
      const a = task('a', say('a'));
      const b = map('b', [1, 2], (item: number, context: TaskContext) =>
        say(`b${item}`)(undefined, context),
      ).after(a);
      task('c', say('c')).after(b);
    }),
  ]);
  const first = await startDay(bench, 'ordered', 1);
  const others = [await startDay(bench, 'ordered', 3), await startDay(bench, 'ordered', 2)];
  for (const run of [first, ...others]) expect(await bench.result(run)).toMatchObject({ state: 'success' });
  for (const task of ['a', 'b1', 'b2', 'c'])
    expect(order.filter((each) => each.startsWith(`${task} `))).toEqual(
      ['01', '02', '03'].map((each) => `${task} ${each}`),
    );
});

test('a task waits for itself in a failed run and names it; the rest goes on, and a run that succeeds sets it free', async () => {
  await using bench = await openBench();
  let broken = true;
  await bench.work([
    dag('halting', options, ({ task }) => {
      const good = task('good', () => 1);
      task(
        'bad',
        (_: undefined, context: TaskContext) => {
          if (broken && dayOf(context) === '01') throw new Error('no');
        },
        undefined,
        { retries: 0 },
      ).after(good);
    }),
  ]);
  const first = await startDay(bench, 'halting', 1);
  expect(await bench.result(first)).toMatchObject({ state: 'failed' });
  const second = await startDay(bench, 'halting', 2);
  expect(await waitOf(bench, second, 'bad')).toEqual({
    dagId: 'halting',
    workflowId: first.workflowId,
    interval: dayOfYear(1),
    runId: first.runId,
    state: 'failed',
    task: 'failed',
  });
  broken = false;
  const again = await startDay(bench, 'halting', 1);
  expect(await bench.result(again)).toMatchObject({ state: 'success' });
  expect(await bench.result(second)).toMatchObject({ state: 'success' });
});

test('a run whose previous interval had none waits, can be cancelled, and takes no turn from the run it waits for', async () => {
  await using bench = await openBench();
  await bench.work([dag('gap', { ...options, maxActiveRuns: 1 }, ({ task }) => void task('only', () => 1))]);
  expect(await bench.result(await startDay(bench, 'gap', 1))).toMatchObject({ state: 'success' });
  const third = await startDay(bench, 'gap', 3);
  expect(await waitOf(bench, third, 'only')).toMatchObject({
    workflowId: 'gap-2026-01-03T00:00:00Z',
    interval: dayOfYear(2),
    runId: null,
    state: null,
    task: null,
  });
  const fifth = await startDay(bench, 'gap', 5);
  await eventually('the fifth to be queued', async () =>
    (await bench.ledger.run(fifth.runId))?.queued ? true : null,
  );
  expect(await bench.result(await startDay(bench, 'gap', 2))).toMatchObject({ state: 'success' });
  expect(await bench.result(third)).toMatchObject({ state: 'success' });
  await waitOf(bench, fifth, 'only');
  await cancelRun(bench.client, fifth);
  expect(await bench.result(fifth)).toMatchObject({ state: 'cancelled' });
});

test('a backfill forwards of a DAG that depends on the past runs its days in order', async () => {
  await using bench = await openBench();
  const order: string[] = [];
  await bench.work([
    dag('filled', options, ({ task }) => {
      task('only', (_: undefined, context: TaskContext) => void order.push(dayOf(context)));
    }),
  ]);
  const backfill = await create(bench, 'filled', 5);
  expect(await ended(bench, backfill)).toMatchObject({ state: 'success', counts: { success: 5 } });
  expect(order).toEqual(['01', '02', '03', '04', '05']);
});
