import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import type { TaskContext } from '../activities/task-context.ts';
import { createDagFactory } from '../dag/builder.ts';
import { instantText } from '../dag/interval.ts';
import { runResult, startRun } from '../workers/client.ts';
import { noop } from './handwritten/activities.ts';
import { withStack } from './data/with-stack.ts';

/**
 * What Ingot adds to Temporal: no-op tasks as a DAG, beside the same activities called by a workflow written by hand. Rounds
 * of both alternate on one server, and what counts is the median of each round's ratio: whatever else the machine does weighs on
 * both alike. The processor time of this process, with both workers in it, says the same without the waiting.
 * `--only chain|fanOut|some|many` measures one of them.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);

/** Rounds of a short case before those that count: a worker lives for days, and its code is compiled after some hundred tasks. */
const warming = 12;
const chainLength = 50;
const fanWidth = 200;
const runs = 20;
const manyRuns = 200;
const runLength = 10;

const dag = createDagFactory<TaskContext>();
const chainOf = (id: string, length: number) =>
  dag(id, { maxActiveRuns: 1000 }, ({ task }) => {
    let last = task('t0', noop);
    for (let index = 1; index < length; index += 1) last = task(`t${index}`, noop).after(last);
  });
const dags = [
  chainOf('chain', chainLength),
  dag('fan_out', {}, ({ task }) => {
    for (let index = 0; index < fanWidth; index += 1) task(`t${index}`, noop);
  }),
  chainOf('chain_of_ten', runLength),
];

const quiet = (): void => {};

let days = 0;
function nextInterval() {
  const start = Date.UTC(2026, 0, 1) + days++ * 86_400_000;
  return { start: instantText(start), end: instantText(start + 86_400_000) };
}

interface Side {
  chain(): Promise<unknown>;
  fanOut(): Promise<unknown>;
  some(): Promise<unknown>;
  many(): Promise<unknown>;
}

function ingotSide(client: Client, taskQueue: string): Side {
  const once = async (dagId: string): Promise<void> => {
    const run = await startRun(client, { taskQueue, dagId, interval: nextInterval(), type: 'manual' });
    const result = await runResult(client, run);
    if (result.state !== 'success') throw new Error(`${dagId}: ${result.message}`);
  };
  return {
    chain: () => once('chain'),
    fanOut: () => once('fan_out'),
    some: () => Promise.all(Array.from({ length: runs }, () => once('chain_of_ten'))),
    many: () => Promise.all(Array.from({ length: manyRuns }, () => once('chain_of_ten'))),
  };
}

function handWrittenSide(client: Client, taskQueue: string): Side {
  const once = (type: string, argument: number): Promise<unknown> =>
    client.workflow.execute(type, { taskQueue, workflowId: crypto.randomUUID(), args: [argument] });
  return {
    chain: () => once('chain', chainLength),
    fanOut: () => once('fanOut', fanWidth),
    some: () => Promise.all(Array.from({ length: runs }, () => once('chain', runLength))),
    many: () => Promise.all(Array.from({ length: manyRuns }, () => once('chain', runLength))),
  };
}

interface Time {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function timed(work: () => Promise<unknown>): Promise<Time> {
  const begun = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wallMs: performance.now() - begun, cpuMs: (user + system) / 1000 };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Round {
  readonly ingot: Time;
  readonly byHand: Time;
}

const cases = [
  { name: `chain of ${chainLength}`, key: 'chain', tasks: chainLength, limit: 1.15 },
  { name: `fan-out of ${fanWidth}`, key: 'fanOut', tasks: fanWidth, limit: 1.4 },
  { name: `${runs} runs of ${runLength}`, key: 'some', tasks: runs * runLength, limit: null },
  // At least 0.7 times the throughput.
  { name: `${manyRuns} runs of ${runLength}`, key: 'many', tasks: manyRuns * runLength, limit: 1.43 },
] as const;

async function compare(ingot: Side, byHand: Side): Promise<void> {
  for (const { name, key, tasks, limit } of cases) {
    if (values.only !== undefined && values.only !== key) continue;
    const times: Round[] = [];
    const isLong = tasks > 1000;
    for (let round = isLong ? 0 : 1 - warming; round <= (isLong ? Math.min(rounds, 3) : rounds); round += 1) {
      const swapped = Math.abs(round) % 2 === 1;
      const first = await timed(() => (swapped ? byHand : ingot)[key]());
      const second = await timed(() => (swapped ? ingot : byHand)[key]());
      if (round > 0)
        times.push(swapped ? { ingot: second, byHand: first } : { ingot: first, byHand: second });
    }
    const perTask = (side: keyof Round): string =>
      (median(times.map((time) => time[side].wallMs)) / tasks).toFixed(1).padStart(5);
    const ratios = times.map((time) => time.ingot.wallMs / time.byHand.wallMs);
    const ratio = median(ratios);
    const cpu = median(times.map((time) => time.ingot.cpuMs / time.byHand.cpuMs));
    const verdict =
      limit === null ? '' : ratio <= limit ? ` (at most ${limit}: yes)` : ` (at most ${limit}: NO)`;
    console.log(
      `${name.padEnd(16)} ${perTask('ingot')} ms/task, by hand ${perTask('byHand')} ms/task, ratio ${ratio.toFixed(2)}${verdict}, of processor time ${cpu.toFixed(2)}   rounds: ${ratios.map((each) => each.toFixed(2)).join(' ')}`,
    );
  }
}

async function openHandWrittenWorker(address: string, taskQueue: string): Promise<Worker> {
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, 'handwritten', 'workflows.ts'),
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: console.error },
  });
  return Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue,
    workflowBundle,
    activities: { noop },
    maxCachedWorkflows: 200,
  });
}

await withStack(
  dags,
  async ({ address, client }) => {
    const handWritten = await openHandWrittenWorker(address, 'by-hand');
    const running = handWritten.run();
    await compare(ingotSide(client, 'ingot'), handWrittenSide(client, 'by-hand'));
    handWritten.shutdown();
    await running;
  },
  // As many as the SDK gives the worker written by hand.
  { maxConcurrentTasks: 100 },
);
process.exit(0);
