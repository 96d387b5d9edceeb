import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { keepPools } from '../../workers/pool-keeper.ts';
import { eventually } from '../support/processes.ts';
import { openBench, temporaryFolder, type Bench } from './harness.ts';

function spawnWorker(bench: Bench, marker: string): ChildProcess {
  const { taskQueue, ledgerUrl, cacheFolder } = bench;
  const script = join(import.meta.dirname, 'pool-worker.ts');
  const given = [inject('temporalAddress'), taskQueue, ledgerUrl, cacheFolder, marker];
  return spawn(process.execPath, [script, ...given], { stdio: ['ignore', 'ignore', 'inherit'] });
}

test('a worker killed while its attempt holds a slot loses no slot, and while others wait no wake-up', async () => {
  await using bench = await openBench();
  await using folder = await temporaryFolder();
  const marker = join(folder.path, 'begun');
  await bench.ledger.setPool('one', 1);
  const first = spawnWorker(bench, marker);
  const holder = await bench.start('hangs-once');
  await eventually('the holder to run', () => Promise.resolve(existsSync(marker) || null));
  const waits = await bench.start('pool_patient');
  await eventually('the other to wait', async () =>
    (await bench.ledger.pools())[0]?.waiting === 1 ? true : null,
  );
  first.kill('SIGKILL');
  await once(first, 'exit');
  // Its run lives: the slot is still its own.
  expect(await keepPools(bench)).toEqual([]);
  expect(
    (await bench.ledger.poolLeases('one')).map(({ workflowId, grantedAt }) => [
      workflowId,
      grantedAt !== null,
    ]),
  ).toEqual([
    [holder.workflowId, true],
    [waits.workflowId, false],
  ]);
  // A grant that is made while nobody works is told by whoever looks next.
  const second = spawnWorker(bench, marker);
  try {
    expect(await bench.result(holder)).toMatchObject({ state: 'success' });
    expect(await bench.result(waits)).toMatchObject({ state: 'success' });
  } finally {
    second.kill('SIGTERM');
    await once(second, 'exit');
  }
  const attempts = await bench.ledger.attempts(holder.runId);
  expect(attempts.map(({ attempt, state }) => [attempt, state])).toEqual([[1, 'success']]);
  expect(await bench.ledger.poolLeases('one')).toEqual([]);
}, 120_000);

test('a run terminated while nobody works gives its slot to one that was never told of the grant', async () => {
  await using bench = await openBench();
  await using folder = await temporaryFolder();
  const marker = join(folder.path, 'begun');
  await bench.ledger.setPool('one', 1);
  const first = spawnWorker(bench, marker);
  const holder = await bench.start('hangs-once');
  await eventually('the holder to run', () => Promise.resolve(existsSync(marker) || null));
  const waits = await bench.start('pool_patient');
  await eventually('the other to wait', async () =>
    (await bench.ledger.pools())[0]?.waiting === 1 ? true : null,
  );
  first.kill('SIGKILL');
  await once(first, 'exit');
  await bench.client.workflow.getHandle(holder.workflowId).terminate('by an operator');
  await bench.ledger.endRun(holder.runId, 'failed', new Date().toISOString(), null);
  // Granted by one that died before it told anybody.
  expect(await bench.ledger.servePools()).toMatchObject([{ workflowId: waits.workflowId }]);
  const second = spawnWorker(bench, marker);
  try {
    await keepPools(bench);
    expect(await bench.result(waits)).toMatchObject({ state: 'success' });
  } finally {
    second.kill('SIGTERM');
    await once(second, 'exit');
  }
}, 120_000);
