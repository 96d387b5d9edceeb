import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changeOpenRun } from '../../workers/operate.ts';
import { eventually } from '../support/processes.ts';
import { openBench, temporaryFolder } from './harness.ts';
import { killWorker, spawnWorker } from './spawn-worker.ts';

test('a held run outlives its worker, and a task that was cleared goes on after the next one was killed', async () => {
  await using bench = await openBench();
  await using folder = await temporaryFolder();
  const marker = join(folder.path, 'begun');
  const workers: ChildProcess[] = [];
  const nextWorker = (): ChildProcess => {
    const worker = spawnWorker(bench, marker);
    workers.push(worker);
    return worker;
  };
  try {
    const first = nextWorker();
    const run = await bench.start('operated');
    await eventually('the run to be held', async () => (await bench.ledger.run(run.runId))?.held || null);
    await killWorker(first);
    const second = nextWorker();
    const nothing = { tasks: [], downstream: false, upstream: false, onlyFailed: false };
    await changeOpenRun(bench.client, run, { type: 'tasks_cleared', by: 'ann', ...nothing });
    await eventually('the cleared task to begin', () => existsSync(marker) || null);
    await killWorker(second);
    nextWorker();
    expect(await bench.result(run)).toMatchObject({ state: 'success' });
    const attempts = await bench.ledger.attempts(run.runId);
    const tried = attempts.filter(({ startedAt }) => startedAt !== null);
    expect(tried.map(({ taskId, attempt, state }) => [taskId, attempt, state])).toEqual([
      ['first', 1, 'success'],
      ['broken', 1, 'failed'],
      ['broken', 2, 'success'],
      ['after', 1, 'success'],
    ]);
    expect(attempts.find(({ taskId, attempt }) => taskId === 'after' && attempt === 1)?.output).toBe(2);
    const changes = await bench.ledger.events({ keyPrefix: `run/${run.runId}/operator/` });
    expect(changes).toMatchObject([{ kind: 'tasks_cleared', payload: { by: 'ann' } }]);
  } finally {
    await Promise.all(workers.map(killWorker));
  }
}, 180_000);
