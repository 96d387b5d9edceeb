import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import type { LogLine } from '../../activities/log-keys.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import { attemptLogReader } from '../../workers/task-logs.ts';
import { eventually } from '../support/processes.ts';
import { openReceiver } from '../support/receiver.ts';
import { openBench, temporaryFolder } from './harness.ts';

test('what a task logged and the alert of its failure survive workers that are killed', async () => {
  await using bench = await openBench();
  await using folder = await temporaryFolder();
  await using receiver = await openReceiver(503);
  const marker = join(folder.path, 'marker');
  const lake = join(folder.path, 'lake');
  const script = join(import.meta.dirname, 'alerting-worker.ts');
  const start = (): ChildProcess => {
    const { taskQueue, ledgerUrl, cacheFolder } = bench;
    const args = [inject('temporalAddress'), taskQueue, ledgerUrl, cacheFolder, marker, lake, receiver.url];
    return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  let worker = start();
  try {
    const run = await bench.start('doomed');
    await eventually('the task to have talked', () => existsSync(marker) || null);
    worker.kill('SIGKILL');
    worker = start();
    expect(await bench.result(run)).toMatchObject({ state: 'failed' });
    // The run is over, the alert is not: the receiver is down, and now so is the worker.
    await eventually('a try to deliver', () => receiver.asked() > 0 || null);
    worker.kill('SIGKILL');
    receiver.answer = 200;
    worker = start();
    await eventually('the alert', () => receiver.accepted.length > 0 || null);
    await eventually('the ledger to know', async () => {
      const events = await bench.ledger.events({ kind: 'alert_delivered' });
      return events.length > 0 || null;
    });
    expect(receiver.accepted.map(({ key }) => key)).toEqual([`${run.runId}/failed`]);

    const objects = await openFilesystemObjectStore(lake);
    const name = { dagId: 'doomed', runId: run.runId, taskId: 'talk', mapIndex: null };
    const lines: LogLine[] = [];
    for await (const line of attemptLogReader(objects, name, 1).next()) lines.push(line);
    expect(lines.map(({ event, message }) => event ?? message)).toEqual([
      'began',
      'first life',
      'began',
      'second life',
      'ended',
    ]);
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      error: { type: 'Error', stack: expect.stringContaining('in vain') as string },
    });
  } finally {
    worker.kill('SIGKILL');
  }
}, 300_000);
