import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import type { AttemptRecord } from '../../ports/ledger.ts';
import type { RunHandle } from '../../workers/client.ts';
import { restartRun } from '../../workers/operate.ts';
import { openBench, type Bench } from './harness.ts';
import { killWorker } from './spawn-worker.ts';

/** `npm run test:scale`: the sizes that Ingot is meant for, in place of some that take seconds. */
const isFull = process.env['INGOT_TEST_SCALE'] === 'all';
const items = isFull ? 20_000 : 400;
const tasks = isFull ? 10_000 : 400;
const continueAfter = isFull ? {} : { events: 300, bytes: 4 * 1024 * 1024, patienceMs: 60_000 };
/** Of what is to be done, when a worker is killed. */
const killedAt = isFull ? [0.05, 0.3, 0.6, 0.9] : [0.33];

vi.setConfig({ testTimeout: isFull ? 3_600_000 : 240_000 });

function spawnWorker({ taskQueue, ledgerUrl, cacheFolder }: Bench): ChildProcess {
  const script = join(import.meta.dirname, 'scale-worker.ts');
  const place = [inject('temporalAddress'), taskQueue, ledgerUrl, cacheFolder];
  const child = spawn(process.execPath, [script, ...place, String(items), String(tasks)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => killWorker(child));
  return child;
}

async function untilDone(on: Bench, run: RunHandle, count: number): Promise<void> {
  for (;;) {
    const attempts = await on.ledger.attempts(run.runId);
    if (attempts.filter(({ state }) => state === 'success').length >= count) return;
    await delay(isFull ? 2000 : 50);
  }
}

/** Runs the DAG to its end with one worker after another, each killed in the middle of its work but for the last. */
async function runKilled(on: Bench, dagId: string, size: number): Promise<RunHandle> {
  const run = await on.start(dagId, { continueAfter });
  for (const part of killedAt) {
    const worker = spawnWorker(on);
    await untilDone(on, run, Math.floor(size * part));
    await killWorker(worker);
    expect(await on.ledger.run(run.runId)).toMatchObject({ state: 'running' });
  }
  spawnWorker(on);
  return run;
}

async function told(on: Bench, name: string, run: RunHandle, begunMs: number): Promise<void> {
  const lengths = await on.executions(run);
  expect(lengths.length).toBeGreaterThan(1);
  expect(Math.max(...lengths)).toBeLessThan(isFull ? 10_000 : 1500);
  if (!isFull) return;
  const seconds = ((Date.now() - begunMs) / 1000).toFixed(0);
  console.log(
    `${name}: ${seconds} s with ${killedAt.length} kills, executions of ${lengths.join(', ')} events`,
  );
}

/** What ran in `again`, which carries on from a run that was cleared in part. */
async function clearedOf(on: Bench, run: RunHandle, cleared: string): Promise<AttemptRecord[]> {
  const change = {
    type: 'tasks_cleared',
    by: 'ann',
    tasks: [cleared],
    downstream: true,
    upstream: false,
    onlyFailed: false,
  } as const;
  const record = (await on.ledger.run(run.runId))!;
  const again = await restartRun(on.client, on.taskQueue, record, change);
  expect(await on.result(again)).toMatchObject({ state: 'success' });
  return (await on.ledger.attempts(again.runId)).filter(({ attempt }) => attempt > 1);
}

test(`a map over ${items} elements survives workers that are killed in its middle, every element counts once, and one can be cleared`, async () => {
  await using on = await openBench();
  const begunMs = Date.now();
  const run = await runKilled(on, 'mapped', items);
  expect(await on.result(run)).toMatchObject({
    state: 'success',
    summary: { tasks: { success: items + 3 } },
  });
  await told(on, `a map over ${items} elements`, run, begunMs);
  const attempts = await on.ledger.attempts(run.runId);
  expect(attempts.find(({ taskId }) => taskId === 'sum')?.output).toBe(items * (items - 1));
  const elements = attempts.filter(({ taskId, mapIndex }) => taskId === 'double' && mapIndex >= 0);
  expect(new Set(elements.map(({ mapIndex }) => mapIndex)).size).toBe(items);
  expect(elements.every(({ state, attempt }) => state === 'success' && attempt === 1)).toBe(true);
  expect(elements).toHaveLength(items);

  const again = await clearedOf(on, run, 'double[7]');
  expect(again.filter(({ mapIndex }) => mapIndex >= 0)).toMatchObject([{ taskId: 'double', mapIndex: 7 }]);
  expect(again.find(({ taskId }) => taskId === 'sum')?.output).toBe(items * (items - 1));
});

test(`a DAG of ${tasks} tasks survives workers that are killed in its middle, does every task once, and one can be cleared`, async () => {
  await using on = await openBench();
  const begunMs = Date.now();
  const run = await runKilled(on, 'layered', tasks);
  expect(await on.result(run)).toMatchObject({ state: 'success', summary: { tasks: { success: tasks } } });
  await told(on, `a DAG of ${tasks} tasks`, run, begunMs);
  const attempts = await on.ledger.attempts(run.runId);
  expect(new Set(attempts.map(({ taskId }) => taskId)).size).toBe(tasks);
  expect(attempts.every(({ state, attempt }) => state === 'success' && attempt === 1)).toBe(true);
  expect(attempts).toHaveLength(tasks);

  const again = await clearedOf(on, run, `t${tasks - 1}`);
  expect(again.map(({ taskId }) => taskId)).toEqual([`t${tasks - 1}`]);
});
