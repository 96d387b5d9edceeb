import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { RunView } from '../../ports/run-steps.ts';
import { cancelRun, type RunHandle } from '../../workers/client.ts';
import { keepPools } from '../../workers/pool-keeper.ts';
import { eventually } from '../support/processes.ts';
import { day as dayOfYear } from './backfill-parts.ts';
import { dag, openBench, type Bench } from './harness.ts';

function startDay(bench: Bench, dagId: string, index: number): Promise<RunHandle> {
  return bench.start(dagId, { interval: dayOfYear(index) });
}

function startDays(bench: Bench, dagId: string, count: number): Promise<RunHandle[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => startDay(bench, dagId, index + 1)));
}

function viewOf(bench: Bench, run: RunHandle): Promise<RunView> {
  return bench.client.workflow.getHandle(run.workflowId, run.runId).query<RunView>('progress');
}

function stateOf(bench: Bench, run: RunHandle, key: string): Promise<string | undefined> {
  return viewOf(bench, run).then((view) => view.tasks.find((task) => task.key === key)?.state);
}

function reaches(bench: Bench, run: RunHandle, key: string, state: string): Promise<true> {
  return eventually(`${key} of ${run.workflowId} to be ${state}`, async () =>
    (await stateOf(bench, run, key).catch(() => undefined)) === state ? true : null,
  );
}

/** Counts bodies that run at the same time. */
class Gauge {
  now = 0;
  most = 0;
  total = 0;
  async measure(ms: number): Promise<void> {
    this.now += 1;
    this.total += 1;
    this.most = Math.max(this.most, this.now);
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.now -= 1;
  }
}

/** A body that goes on until it is cancelled or let go. */
function holding(released: Promise<void>) {
  return (_: undefined, { signal }: TaskContext) =>
    Promise.race([
      released,
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('interrupted')));
      }),
    ]);
}

test('eight runs never hold more of a pool of two than there is, and all get their turn', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('narrow', 2);
  const gauge = new Gauge();
  await bench.work([
    dag('eight', {}, ({ task, map }) => {
      const first = task('first', () => gauge.measure(30), undefined, { pool: 'narrow' });
      map('each', [1, 2, 3], () => gauge.measure(10), undefined, { pool: 'narrow' }).after(first);
    }),
  ]);
  const runs = await startDays(bench, 'eight', 8);
  for (const run of runs) expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(gauge.total).toBe(8 * 4);
  expect(gauge.most).toBe(2);
  expect(await bench.ledger.poolLeases('narrow')).toEqual([]);
});

test('retries of mapped tasks queue again and never lock a pool of one', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('one', 1);
  const gauge = new Gauge();
  await bench.work([
    dag('pool_flaky', {}, ({ map }) => {
      map(
        'each',
        [1, 2, 3, 4],
        async (_: number, { attempt }: TaskContext) => {
          await gauge.measure(5);
          if (attempt < 3) throw new Error('not yet');
        },
        undefined,
        { pool: 'one', retries: { limit: 2, initialMs: 10, factor: 1 } },
      );
    }),
  ]);
  const runs = await startDays(bench, 'pool_flaky', 2);
  for (const run of runs) expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(gauge).toMatchObject({ most: 1, total: 2 * 4 * 3 });
});

test('slots go to the higher priority, and a waiting run says who holds them', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('one', 1);
  const order: string[] = [];
  const free = Promise.withResolvers<void>();
  const worker = (id: string, priority: number) =>
    dag(id, {}, ({ task }) => {
      task('work', () => void order.push(id), undefined, { pool: 'one', priority });
    });
  await bench.work([
    dag('holder', {}, ({ task }) => void task('hold', holding(free.promise), undefined, { pool: 'one' })),
    worker('low', 0),
    worker('high', 5),
  ]);
  const holder = await bench.start('holder');
  await reaches(bench, holder, 'hold', 'running');
  const low = await bench.start('low');
  await reaches(bench, low, 'work', 'waiting');
  const high = await bench.start('high');
  await reaches(bench, high, 'work', 'waiting');
  const view = await eventually('the wait to be explained', async () => {
    const [task] = (await viewOf(bench, high)).tasks;
    return task?.waitingFor?.reason === 'pool' && task.waitingFor.standing !== null ? task.waitingFor : null;
  });
  expect(view).toMatchObject({
    pool: 'one',
    slots: 1,
    standing: { size: 1, held: 1, ahead: 0, heldBy: [{ run: holder.workflowId, task: 'hold', slots: 1 }] },
  });
  expect((await bench.ledger.poolLeases('one')).map(({ workflowId }) => workflowId)).toEqual([
    holder.workflowId,
    high.workflowId,
    low.workflowId,
  ]);
  free.resolve();
  for (const run of [holder, low, high]) expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(order).toEqual(['high', 'low']);
});

test('slots of a terminated run and of a cancelled one go to who waits', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('one', 1);
  const never = new Promise<void>(() => {});
  await bench.work([
    dag('pool_stuck', {}, ({ task }) => void task('hold', holding(never), undefined, { pool: 'one' })),
    dag('next', {}, ({ task }) => void task('work', () => 1, undefined, { pool: 'one' })),
  ]);
  const first = await startDay(bench, 'pool_stuck', 1);
  await reaches(bench, first, 'hold', 'running');
  const second = await startDay(bench, 'pool_stuck', 2);
  await reaches(bench, second, 'hold', 'waiting');
  const waits = await bench.start('next');
  await reaches(bench, waits, 'work', 'waiting');

  await bench.client.workflow.getHandle(first.workflowId).terminate('by an operator');
  const closed = await keepPools(bench);
  expect(closed).toMatchObject([{ run: { runId: first.runId }, execution: 'terminated' }]);
  await reaches(bench, second, 'hold', 'running');

  await cancelRun(bench.client, second);
  expect(await bench.result(second)).toMatchObject({ state: 'cancelled' });
  expect(await bench.result(waits)).toMatchObject({ state: 'success' });
});

test('a run that is cancelled while it waits leaves the queue', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('one', 1);
  const free = Promise.withResolvers<void>();
  await bench.work([
    dag('pool_held', {}, ({ task }) => void task('hold', holding(free.promise), undefined, { pool: 'one' })),
  ]);
  const [first, second] = [await startDay(bench, 'pool_held', 1), await startDay(bench, 'pool_held', 2)];
  await eventually('one to hold and one to wait', async () =>
    (await bench.ledger.poolLeases('one')).length === 2 ? true : null,
  );
  const leases = await bench.ledger.poolLeases('one');
  const waiting = leases[1]!.workflowId === first.workflowId ? first : second;
  const holder = waiting === first ? second : first;
  await cancelRun(bench.client, waiting);
  expect(await bench.result(waiting)).toMatchObject({ state: 'cancelled' });
  expect(await bench.states(waiting)).toEqual({ hold: 'skipped' });
  expect((await bench.ledger.poolLeases('one')).map(({ runId }) => runId)).toEqual([holder.runId]);
  free.resolve();
  expect(await bench.result(holder)).toMatchObject({ state: 'success' });
});

test('a task waits for a pool that does not exist, and goes on when it is created', async () => {
  await using bench = await openBench();
  await bench.work([
    dag('pool_early', {}, ({ task }) => void task('work', () => 1, undefined, { pool: 'later' })),
  ]);
  const run = await bench.start('pool_early');
  await eventually('the wait', async () => {
    const [task] = (await viewOf(bench, run)).tasks;
    return task?.waitingFor?.reason === 'pool' && task.waitingFor.standing?.size === null ? true : null;
  });
  await bench.ledger.setPool('later', 1);
  await keepPools(bench);
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
});

test('a task that needs more slots than its pool has fails and says so', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('small', 2);
  await bench.work([
    dag('greedy', {}, ({ task }) => void task('work', () => 1, undefined, { pool: 'small', poolSlots: 3 })),
  ]);
  const run = await bench.start('greedy');
  const { state, message } = await bench.result(run);
  expect(state).toBe('failed');
  expect(message).toContain('expected poolSlots of at most 2, the size of pool small; found 3.');
  expect(await bench.ledger.poolLeases('small')).toEqual([]);
});
