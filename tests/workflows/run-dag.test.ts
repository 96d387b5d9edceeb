import { afterAll, beforeAll, expect, test } from 'vitest';
import { dag, openBench, type Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.work([diamond]);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const diamond = dag('diamond', {}, ({ task }) => {
  const source = task('source', () => ({ numbers: [1, 2, 3] }));
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
  });
  expect((await bench.ledger.plan(record!.planHash))?.dagId).toBe('diamond');
  const attempts = await bench.ledger.attempts(run.runId);
  expect(attempts.find((each) => each.taskId === 'mean')).toMatchObject({
    state: 'success',
    attempt: 1,
    output: 2,
  });
  expect(
    attempts.every((each) => each.worker !== null && each.startedAt !== null && each.endedAt !== null),
  ).toBe(true);
});
