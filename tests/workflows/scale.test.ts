import { expect, onTestFinished, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import { cancelRun } from '../../workers/client.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from './harness.ts';

async function bench(): Promise<Bench> {
  const opened = await openBench();
  onTestFinished(() => opened[Symbol.asyncDispose]());
  return opened;
}

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
