import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { RunHandle } from '../../workers/client.ts';
import type { RunView } from '../../ports/run-steps.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from './harness.ts';

const oldDag = dag('grown', {}, ({ task }) => {
  task('known', () => 1);
});
const newDag = dag('grown', {}, ({ task }) => {
  const known = task('known', () => 1);
  task('added', () => 2).after(known);
});

function viewOf(bench: Bench, run: RunHandle): Promise<RunView> {
  return bench.client.workflow.getHandle(run.workflowId, run.runId).query<RunView>('progress');
}

test('a run of a DAG that no worker knows waits, says so, and goes on when one comes', async () => {
  await using bench = await openBench();
  const ignorant = await bench.work([]);
  const run = await bench.start('grown');
  await eventually('the wait', async () => {
    const view = await viewOf(bench, run);
    return view.waitingFor === 'a worker that knows the DAG' || null;
  });
  await bench.work([oldDag]);
  await ignorant.stop();
  expect(await bench.result(run)).toMatchObject({ state: 'success', summary: { tasks: { success: 1 } } });
});

test('a task that no worker knows waits, and goes on when a worker that knows it comes', async () => {
  await using bench = await openBench();
  const begun = Promise.withResolvers<void>();
  // The plan has the task, the only worker left does not: as when an old worker is still there after a deployment.
  const planner = await bench.work([
    dag('grown', {}, ({ task }) => {
      const known = task('known', () => begun.promise);
      task('added', () => 2).after(known);
    }),
  ]);
  const run = await bench.start('grown');
  await eventually(
    'the first task',
    async () => (await viewOf(bench, run)).tasks.some((task) => task.state === 'running') || null,
  );
  const old = await bench.work([oldDag]);
  begun.resolve();
  await planner.stop();
  await eventually('the wait for the task', async () => {
    const view = await viewOf(bench, run);
    return (
      view.tasks.some((task) => task.key === 'added' && task.waitingFor?.reason === 'no_worker_knows_task') ||
      null
    );
  });
  await bench.work([newDag]);
  await old.stop();
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  const attempts = await bench.ledger.attempts(run.runId);
  expect(attempts.find((each) => each.taskId === 'added')).toMatchObject({
    attempt: 1,
    state: 'success',
    output: 2,
  });
});

test('a sensor is poked until it is done, a wait waits, and no worker is held meanwhile', async () => {
  await using bench = await openBench();
  const pokes: number[] = [];
  const patient = dag('patient', {}, ({ sensor, wait, task }) => {
    const file = sensor(
      'file',
      (_: unknown, { attempt }: TaskContext) => {
        pokes.push(attempt);
        return pokes.length < 3 ? { done: false } : { done: true, value: 'raw/x.csv' };
      },
      undefined,
      { pokeEvery: '1s', timeout: '1m' },
    );
    const pause = wait('pause', { for: '1s' }).after(file);
    task('use', (path: string) => path.toUpperCase(), file.output).after(pause);
  });
  await bench.work([patient]);
  const run = await bench.start('patient');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(pokes).toEqual([1, 1, 1]);
  const attempts = await bench.ledger.attempts(run.runId);
  expect(attempts.find((each) => each.taskId === 'use')?.output).toBe('RAW/X.CSV');
});
