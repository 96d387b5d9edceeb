import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import type { TaskContext } from '../activities/task-context.ts';
import { createDagFactory } from '../dag/builder.ts';
import { runResult, startRun, type RunHandle } from '../workers/client.ts';
import { restartRun } from '../workers/operate.ts';
import { withStack, type BenchStack } from './data/with-stack.ts';

/** Large runs to their end: a DAG of many tasks in layers and a map of many elements, beside the same with a tenth of it; each is then cleared in part, and carried on. */
const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '10000' }, items: { type: 'string', default: '20000' } },
});
const width = 100;
const dag = createDagFactory<TaskContext>();
const noop = (): null => null;

const layers = (id: string, size: number) =>
  dag(id, {}, ({ task }) => {
    let above: ReturnType<typeof task<undefined, null>>[] = [];
    for (let from = 0; from < size; from += width)
      above = Array.from({ length: width }, (_, n) => {
        const made = task(`t${from + n}`, noop);
        return from === 0 ? made : made.after(above[n]!, above[(n + 1) % width]!);
      });
  });
const mapOf = (id: string, size: number) =>
  dag(id, {}, ({ task, map }) => {
    const list = task('list', () =>
      Array.from({ length: size }, (_, n) => ({ key: `2026/01/01/part-${n}.csv` })),
    );
    const sizes = map(
      'each',
      list,
      ({ key }: { key: string }) => key.length,
      (item) => ({ key: item.key }),
      {
        maxMapLength: size,
      },
    );
    task('sum', (all: readonly number[]) => all.reduce((a, b) => a + b, 0), sizes);
  });

const sizes = { tasks: Number(values.tasks), items: Number(values.items) };
const dags = [
  layers('layers_tenth', sizes.tasks / 10),
  layers('layers', sizes.tasks),
  mapOf('map_tenth', sizes.items / 10),
  mapOf('map', sizes.items),
];

async function lengthsOf(client: Client, workflowId: string, first: string): Promise<number[]> {
  const lengths: number[] = [];
  for (let id: string | undefined = first; id !== undefined;) {
    const { events } = await client.workflow.getHandle(workflowId, id).fetchHistory();
    lengths.push(events!.length);
    id = events!.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return lengths;
}

async function tell(client: Client, run: RunHandle, name: string, size: number): Promise<number> {
  const begun = performance.now();
  const result = await runResult(client, run);
  const ms = performance.now() - begun;
  if (result.state !== 'success') throw new Error(`${name}: ${result.message}`);
  const lengths = await lengthsOf(client, run.workflowId, run.runId);
  console.log(
    `  ${name}: ${(ms / size).toFixed(1)} ms/task, ${(ms / 1000).toFixed(0)} s in all; executions of ${lengths.join(', ')} events; the worker takes ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`,
  );
  return ms / size;
}

async function measure({ client, ledger }: BenchStack, dagId: string, size: number): Promise<number> {
  const interval = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
  const run = await startRun(client, { taskQueue: 'ingot', dagId, interval, type: 'manual' });
  const perTask = await tell(client, run, dagId, size);
  const change = { type: 'tasks_cleared', by: 'bench', upstream: false, onlyFailed: false } as const;
  const part = { ...change, tasks: [dagId.startsWith('map') ? 'each[7]' : `t${size - 1}`], downstream: true };
  const record = (await ledger.run(run.runId))!;
  await tell(client, await restartRun(client, 'ingot', record, part), `${dagId} carried on in part`, 1);
  return perTask;
}

await withStack(dags, async (stack) => {
  for (const [name, size] of [
    ['layers', sizes.tasks],
    ['map', sizes.items],
  ] as const) {
    const few = await measure(stack, `${name}_tenth`, size / 10);
    const many = await measure(stack, name, size);
    console.log(
      `${name} of ${size}: ${many.toFixed(1)} ms/task, of ${size / 10}: ${few.toFixed(1)} ms/task, ratio ${(many / few).toFixed(2)}`,
    );
  }
});
process.exit(0);
