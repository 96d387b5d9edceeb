import { expect, onTestFinished, test, vi } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import { cancelRun } from '../../workers/client.ts';
import { dag, openBench, type Bench } from './harness.ts';

async function bench(): Promise<Bench> {
  const opened = await openBench();
  onTestFinished(() => opened[Symbol.asyncDispose]());
  return opened;
}

/** A machine that is busy with other things takes its time. */
vi.setConfig({ testTimeout: 240_000 });

const nothing = (): null => null;
const soon = { events: 400, bytes: 4 * 1024 * 1024, patienceMs: 60_000 };

function counted(states: Record<string, string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const state of Object.values(states)) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

test('a DAG of many tasks continues as new and ends with every task done once', async () => {
  const width = 40;
  const times = new Map<string, number>();
  const layers = dag('layers', {}, ({ task }) => {
    const id = (layer: number, n: number): string => `l${layer}-${n}`;
    let above: ReturnType<typeof task<undefined, null>>[] = [];
    for (let layer = 0; layer < 15; layer += 1)
      above = Array.from({ length: width }, (_, n) =>
        task(id(layer, n), () => {
          times.set(id(layer, n), (times.get(id(layer, n)) ?? 0) + 1);
          return null;
        }).after(...(layer === 0 ? [] : [above[n]!, above[(n + 1) % width]!])),
      );
  });
  const on = await bench();
  await on.work([layers]);
  const run = await on.start('layers', { continueAfter: soon });
  expect(await on.result(run)).toMatchObject({ state: 'success', summary: { tasks: { success: 600 } } });
  const lengths = await on.executions(run);
  expect(lengths.length).toBeGreaterThan(2);
  expect(Math.max(...lengths)).toBeLessThan(1000);
  expect([...times.values()]).toEqual(Array.from({ length: 600 }, () => 1));
  expect(counted(await on.states(run))).toEqual({ success: 600 });
  expect(await on.ledger.run(run.runId)).toMatchObject({ state: 'success', runId: run.runId });
});

test('what waits is carried on: retries and sensors ring in the next execution, and it can be cancelled there', async () => {
  const busy = Promise.withResolvers<void>();
  const definition = dag('carries', { maxActiveTasks: 5 }, ({ map, sensor, task }) => {
    let pokes = 0;
    const ready = sensor('ready', () => ({ done: (pokes += 1) > 3, value: pokes }), undefined, {
      pokeEvery: '1s',
      timeout: '5m',
    });
    const again = task(
      'again',
      (_: undefined, { attempt }: TaskContext) => {
        if (attempt === 1) throw new Error('not yet');
        return attempt;
      },
      undefined,
      { retries: { limit: 1, initial: '4s' } },
    );
    const each = map(
      'each',
      Array.from({ length: 60 }, (_, n) => n),
      (n: number) => n,
    );
    task(
      'endless',
      async (input: { readonly pokes: number; readonly attempt: number }, { signal }: TaskContext) => {
        busy.resolve();
        await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('stopped'))),
        );
        return input;
      },
      { pokes: ready, attempt: again },
    ).after(each);
  });
  const on = await bench();
  await on.work([definition]);
  const run = await on.start('carries', { continueAfter: { ...soon, events: 60 } });
  await busy.promise;
  expect((await on.executions(run)).length).toBeGreaterThan(1);
  await cancelRun(on.client, run);
  expect(await on.result(run)).toMatchObject({ state: 'cancelled' });
  expect(await on.states(run)).toMatchObject({ ready: 'success', again: 'success', endless: 'failed' });
  expect(await on.ledger.run(run.runId)).toMatchObject({ state: 'cancelled' });
});

test('a run with an attempt that takes long goes on beside it, and continues when it is done', async () => {
  const release = Promise.withResolvers<void>();
  const definition = dag('long_patient', {}, ({ task }) => {
    const slow = task('slow', () => release.promise);
    let last = task('t0', nothing);
    for (let n = 1; n < 40; n += 1) last = task(`t${n}`, nothing).after(last);
    const freed = task('free', () => release.resolve()).after(last);
    task('end', nothing).after(freed, slow);
  });
  const on = await bench();
  await on.work([definition]);
  const run = await on.start('long_patient', { continueAfter: { events: 100, bytes: 1e9, patienceMs: 500 } });
  expect(await on.result(run)).toMatchObject({ state: 'success' });
});
