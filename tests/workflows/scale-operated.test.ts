import { expect, test, vi } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { OperatorChange } from '../../dag/reducer.ts';
import type { Notification } from '../../ports/notifier.ts';
import { cancelRun, progressOf, type RunHandle } from '../../workers/client.ts';
import { changeOpenRun, restartRun, standingOf } from '../../workers/operate.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from './harness.ts';

/** A machine that is busy with other things takes its time. */
vi.setConfig({ testTimeout: 240_000 });

const soon = { events: 80, bytes: 4 * 1024 * 1024, patienceMs: 60_000 };
const numbers = (length: number): number[] => Array.from({ length }, (_, n) => n);

function clearing(tasks: readonly string[]): OperatorChange {
  return { type: 'tasks_cleared', by: 'ann', tasks, downstream: true, upstream: false, onlyFailed: false };
}

/** Held with as many tries of the task that fails. */
function isHeld(bench: Bench, run: RunHandle, attempt: number): Promise<true> {
  return eventually(`the run to be held after try ${attempt}`, async () => {
    const view = await progressOf(bench.client, run);
    const tried = view?.tasks.find(({ key }) => key === 'flaky')?.attempt;
    return view?.held === true && tried === attempt ? true : null;
  });
}

test('a run that continues again and again keeps its place in pools, what it told, and can be operated', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('narrow', 2);
  const heard: Notification[] = [];
  let now = 0;
  let most = 0;
  let tries = 0;
  const alerts = { onFailure: true, deadline: { after: '2s', from: 'started' } } as const;
  const definition = dag(
    'long_operated',
    { onFailure: 'hold', maxActiveTasks: 5, alerts, defaults: { retries: 0 } },
    ({ map, task }) => {
      const each = map(
        'each',
        numbers(40),
        async (n: number) => {
          most = Math.max(most, (now += 1));
          await new Promise((resolve) => setTimeout(resolve, 50));
          now -= 1;
          return n;
        },
        undefined,
        { pool: 'narrow' },
      );
      task('flaky', () => {
        if ((tries += 1) < 3) throw new Error(`try ${tries}`);
        return null;
      }).after(each);
    },
  );
  await bench.work([definition], { notifier: { notify: async (each) => void heard.push(each) } });
  const run = await bench.start('long_operated', { continueAfter: soon });
  await isHeld(bench, run, 1);
  const before = (await bench.executions(run)).length;
  expect(before).toBeGreaterThan(1);
  // While an execution takes over from the one before, nobody can say yet.
  await eventually('the standing of the held run', async () => {
    const record = (await bench.ledger.run(run.runId))!;
    return (await standingOf(bench.client, bench.ledger, record)).progress.held ? true : null;
  });

  expect(await changeOpenRun(bench.client, run, clearing(['each']))).toContain('each[39]');
  await isHeld(bench, run, 2);
  expect((await bench.executions(run)).length).toBeGreaterThan(before);
  await changeOpenRun(bench.client, run, clearing(['flaky']));
  expect(await bench.result(run)).toMatchObject({
    state: 'success',
    summary: { tasks: { success: 42 } },
  });

  expect(most).toBe(2);
  const waiting = await bench.ledger.attempts(run.runId);
  expect(waiting.filter(({ taskId, attempt }) => taskId === 'each' && attempt === 2)).toHaveLength(41 - 1);
  const told = (prefix: string) => bench.ledger.events({ keyPrefix: `run/${run.runId}/${prefix}/` });
  expect(await told('operator')).toHaveLength(2);
  expect(await told('held')).toHaveLength(2);
  const names = await eventually('every alert to be told', async () =>
    heard.length >= 3 ? heard.map(({ key }) => key).toSorted() : null,
  );
  expect(names).toEqual(['deadline', 'failed', 'failed/2'].map((name) => `${run.runId}/${name}`));
});

test('a run that waits for its pool in another execution leaves the queue when it is cancelled', async () => {
  await using bench = await openBench();
  await bench.ledger.setPool('closed', 0);
  const definition = dag('long_queue', { maxActiveTasks: 5 }, ({ map, task }) => {
    map('each', numbers(60), (n: number) => n);
    task('blocked', () => null, undefined, { pool: 'closed' });
  });
  await bench.work([definition]);
  const run = await bench.start('long_queue', { continueAfter: soon });
  await eventually('the map to be done in another execution', async () => {
    const each = (await progressOf(bench.client, run))?.tasks.find(({ key }) => key === 'each');
    return each?.state === 'success' && (await bench.executions(run)).length > 1 ? true : null;
  });
  const queue = (await bench.ledger.pools()).find(({ name }) => name === 'closed');
  expect(queue).toMatchObject({ waiting: 1 });
  await cancelRun(bench.client, run);
  expect(await bench.result(run)).toMatchObject({ state: 'cancelled' });
  await eventually('the queue to be empty', async () =>
    (await bench.ledger.pools()).find(({ name }) => name === 'closed')?.waiting === 0 ? true : null,
  );
});

test('a closed run whose outputs are more than one message holds is carried on from, in part', async () => {
  await using bench = await openBench();
  const done: string[] = [];
  let broken = true;
  const definition = dag('long_carried', { defaults: { retries: 0 } }, ({ map, task }) => {
    const each = map('each', numbers(60), (n: number, { attempt }: TaskContext) => {
      done.push(`${n}#${attempt}`);
      // Temporal takes two megabytes at most.
      return `${n}`.padEnd(40_000, '.');
    });
    const last = task('last', () => {
      if (broken) throw new Error('not yet');
      return null;
    });
    last.after(each);
  });
  await bench.work([definition]);
  const first = await bench.start('long_carried');
  expect(await bench.result(first)).toMatchObject({ state: 'failed' });
  broken = false;
  const record = await eventually('the run to be closed', async () => {
    const found = await bench.ledger.run(first.runId);
    return found?.state === 'failed' ? found : null;
  });
  const change = { ...clearing(['each[7]', 'last']), downstream: false };
  const second = await restartRun(bench.client, bench.taskQueue, record, change);
  expect(await bench.result(second)).toMatchObject({ state: 'success', summary: { tasks: { success: 62 } } });
  expect(done.slice(60)).toEqual(['7#2']);
  const outputs = (await bench.ledger.attempts(second.runId)).filter(({ taskId }) => taskId === 'each');
  expect(outputs.find(({ mapIndex }) => mapIndex === 59)?.output).toBe('59'.padEnd(40_000, '.'));
});
