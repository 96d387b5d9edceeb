import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { RunView } from '../../ports/run-steps.ts';
import { cancelRun, type RunHandle } from '../../workers/client.ts';
import { bronze, manifest, output, rates, silver, silverSlice, writes } from '../ports/ledger/fixture.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from './harness.ts';

const slice = silverSlice('2026-01-01', 'a');
const heard: string[] = [];

async function stageSlice({ ports, stage }: TaskContext): Promise<void> {
  const { snapshot } = await ports.ledger.snapshot([writes(slice)]);
  stage(manifest(snapshot, [output(slice)]));
}

const listening = dag('listening', {}, ({ task, map }) => {
  const work = task('work', async (_: undefined, context: TaskContext) => {
    await stageSlice(context);
    await new Promise<void>((_resolve, reject) => {
      context.signal.addEventListener('abort', () => {
        heard.push('work');
        reject(new Error('interrupted'));
      });
    });
  });
  map('after', [1, 2, 3], (each: number) => each).after(work);
});

/** Ends well in spite of the cancellation: its result comes too late. */
const stubborn = dag('stubborn', {}, ({ task }) => {
  task('work', async (_: undefined, context: TaskContext) => {
    await stageSlice(context);
    await new Promise<void>((resolve) => {
      context.signal.addEventListener('abort', () => resolve());
    });
  });
});

const deaf = dag('deaf', {}, ({ task }) => {
  task('work', () => new Promise<void>(() => {}));
});

const retrying = dag('retrying', {}, ({ task }) => {
  task('work', () => Promise.reject(new Error('not yet')), undefined, {
    retries: { limit: 3, initial: '1h' },
  });
});

const cleared: string[] = [];
const providing = dag('providing', {}, ({ setup, task, teardown }) => {
  const cluster = setup('create', () => ({ id: 'c1' }));
  const work = task(
    'work',
    (_: { readonly cluster: string }, { signal }: TaskContext) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('interrupted')));
      }),
    { cluster: cluster.output.id },
  );
  teardown(
    'delete',
    ({ cluster: id }: { readonly cluster: string }, { attempt, signal }: TaskContext) => {
      if (attempt === 1) throw new Error('not yet');
      cleared.push(`${id}, aborted: ${signal.aborted}`);
    },
    { cluster: cluster.output.id },
    { retries: { limit: 1, initial: '1s' } },
  ).after(work);
});

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  await bench.work([listening, stubborn, deaf, retrying, providing]);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

async function runningAt(run: RunHandle, state: string): Promise<void> {
  const handle = bench.client.workflow.getHandle(run.workflowId, run.runId);
  await eventually(`work to be ${state}`, async () => {
    const { tasks } = await handle.query<RunView>('progress');
    return tasks.some((task) => task.taskId === 'work' && task.state === state) || null;
  });
}

async function cancelled(dagId: string, at = 'running') {
  const run = await bench.start(dagId);
  await runningAt(run, at);
  if (at === 'running')
    await eventually('the body to have begun', async () => {
      const { pendingActivities } = (
        await bench.client.workflow.getHandle(run.workflowId, run.runId).describe()
      ).raw;
      return pendingActivities?.some((each) => each.state === 2) || null;
    });
  await cancelRun(bench.client, run);
  const result = await bench.result(run);
  const { status } = await bench.client.workflow.getHandle(run.workflowId, run.runId).describe();
  return { run, result, status: status.name };
}

test('cancelling reaches the running body, and nothing of the run is published', async () => {
  const { run, result, status } = await cancelled('listening');
  expect(result.state).toBe('cancelled');
  expect(status).toBe('CANCELLED');
  expect(heard).toEqual(['work']);
  expect(await bench.ledger.run(run.runId)).toMatchObject({ state: 'cancelled', failure: null });
  expect(await bench.states(run)).toMatchObject({ work: 'failed' });
  expect((await bench.ledger.attempts(run.runId))[0]?.failure?.type).toBe('Cancelled');
  expect(await bench.ledger.partitions(silver.name)).toEqual([]);
});

test('a body that ends well after the cancellation has come too late to publish', async () => {
  const { run, result } = await cancelled('stubborn');
  expect(result.state).toBe('cancelled');
  expect(await bench.activityTypes(run)).not.toContain('stubborn.work:publish');
  expect(await bench.ledger.partitions(silver.name)).toEqual([]);
});

test('a body that does not listen is left alone after a while', async () => {
  const { result } = await cancelled('deaf');
  expect(result.state).toBe('cancelled');
});

test('cancelling ends the wait for a retry', async () => {
  const { run, result } = await cancelled('retrying', 'up_for_retry');
  expect(result.state).toBe('cancelled');
  expect(await bench.ledger.run(run.runId)).toMatchObject({ state: 'cancelled' });
});

test('a run that waits for a worker that knows its DAG can be cancelled', async () => {
  const run = await bench.start('unheard-of');
  await cancelRun(bench.client, run);
  expect((await bench.result(run)).state).toBe('cancelled');
});

test.each(['success', 'failed'] as const)(
  'a run the ledger closed before, as %s, ends like that: a lost answer must not make two endings of one run',
  async (outcome) => {
    const run = await bench.start('listening');
    await runningAt(run, 'running');
    expect(await bench.ledger.endRun(run.runId, outcome, new Date().toISOString(), null)).toBe(outcome);
    await cancelRun(bench.client, run);
    expect((await bench.result(run)).state).toBe(outcome);
    expect((await bench.ledger.run(run.runId))?.state).toBe(outcome);
  },
);

test('a teardown runs to its end after a run was cancelled, with its retries', async () => {
  const { run, result, status } = await cancelled('providing');
  expect(result.state).toBe('cancelled');
  expect(status).toBe('CANCELLED');
  expect(cleared).toEqual(['c1, aborted: false']);
  expect(await bench.states(run)).toEqual({ create: 'success', work: 'failed', delete: 'success' });
});

test('a run cancelled before any worker has seen it ends in the ledger too', async () => {
  await using own = await openBench();
  const run = await own.start('listening');
  await cancelRun(own.client, run);
  await own.work([listening]);
  expect((await own.result(run)).state).toBe('cancelled');
  expect(await own.ledger.run(run.runId)).toMatchObject({ state: 'cancelled', queued: false });
});

test('a run cancelled between two executions ends in the ledger too, and after its teardowns', async () => {
  await using own = await openBench();
  const cleaned: string[] = [];
  const long = dag('cut_between', {}, ({ map, setup, teardown, task }) => {
    const made = setup('make', () => 1);
    const each = map(
      'each',
      Array.from({ length: 60 }, (_, n) => n),
      (n: number) => `${n}`.padEnd(10_000, '.'),
    ).after(made);
    const slow = task('slow', () => new Promise<void>(() => {})).after(each);
    teardown('clean', () => void cleaned.push('clean'), { made: made.output }).after(slow);
  });
  // The first execution packs up while its worker stops, so that nobody sees the second begin.
  const packs = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const ledger: Ledger = {
    ...own.ledger,
    parkProgress: async (...args) => {
      packs.resolve();
      await gate.promise;
      return own.ledger.parkProgress(...args);
    },
  };
  const first = await own.work([long], { ledger });
  const continueAfter = { events: 60, bytes: 4 * 1024 * 1024, patienceMs: 60_000 };
  const run = await own.start('cut_between', { continueAfter });
  await packs.promise;
  const stopped = first.stop();
  gate.resolve();
  await stopped;
  expect(await own.executions(run)).toHaveLength(2);
  await cancelRun(own.client, run);
  await own.work([long]);
  expect((await own.result(run)).state).toBe('cancelled');
  expect(await own.ledger.run(run.runId)).toMatchObject({ state: 'cancelled' });
  expect(cleaned).toEqual(['clean']);
});
