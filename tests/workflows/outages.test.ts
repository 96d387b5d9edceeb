import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { bronze, manifest, output, rates, silver, silverSlice, writes } from '../ports/ledger/fixture.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, temporaryFolder } from './harness.ts';
import { spawnWorker } from './spawn-worker.ts';
import { openGate } from './tcp-gate.ts';

test('a ledger that goes away for seconds, in every phase of a run, costs the run nothing but time', async () => {
  await using bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const url = new URL(bench.ledgerUrl);
  await using gate = await openGate(url.hostname, Number(url.port));
  url.port = String(gate.port);
  const ledger = await openPostgresLedger(url.toString());
  const slice = silverSlice('2026-01-01', 'a');
  const phases: string[] = [];

  /** Shuts the gate and lets it open again once the worker has run against it. */
  async function outage(phase: string): Promise<void> {
    phases.push(phase);
    await gate.shut();
    setTimeout(() => void gate.open(), 1500);
  }

  const enduring = dag('enduring', {}, ({ task }) => {
    const snapshot = task(
      'snapshot',
      async (_: undefined, { ports }: TaskContext) => {
        if (!phases.includes('snapshot')) await outage('snapshot');
        return (await ports.ledger.snapshot([writes(slice)])).partitions.length;
      },
      undefined,
      { retries: 0 },
    );
    const publish = task(
      'publish',
      async (_: undefined, { ports, stage }: TaskContext) => {
        const { snapshot: held } = await ports.ledger.snapshot([writes(slice)]);
        stage(manifest(held, [output(slice)]));
        if (!phases.includes('publish')) await outage('publish');
      },
      undefined,
      { retries: 0 },
    ).after(snapshot);
    task('last', () => outage('end')).after(publish);
  });
  await bench.work([enduring], { ledger });
  await outage('begin');
  const run = await bench.start('enduring');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(phases).toEqual(['begin', 'snapshot', 'publish', 'end']);
  expect(await bench.ledger.run(run.runId)).toMatchObject({ state: 'success' });
  const attempts = await bench.ledger.attempts(run.runId);
  expect(attempts.map((each) => [each.taskId, each.attempt, each.state])).toEqual([
    ['snapshot', 1, 'success'],
    ['publish', 1, 'success'],
    ['last', 1, 'success'],
  ]);
  expect(await bench.ledger.history({ runId: run.runId })).toHaveLength(1);
  await ledger.close();
});

test('a worker killed in an attempt is noticed, and the next one goes on in a place of its own', async () => {
  await using bench = await openBench();
  await using folder = await temporaryFolder();
  const marker = join(folder.path, 'begun');
  const killed = spawnWorker(bench, marker);
  let next: ChildProcess | undefined;
  try {
    const run = await bench.start('mortal');
    await eventually('the attempt to begin', () => existsSync(marker) || null);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    next = spawnWorker(bench, marker);
    expect(await bench.result(run)).toMatchObject({ state: 'success' });
    const attempts = await bench.ledger.attempts(run.runId);
    expect(attempts.find((each) => each.taskId === 'after')?.output).toEqual(['1.1', '1.2']);
    expect(attempts.every((each) => each.attempt === 1)).toBe(true);
  } finally {
    killed.kill('SIGKILL');
    if (next !== undefined && next.exitCode === null) {
      next.kill('SIGTERM');
      await once(next, 'exit');
    }
  }
});

test('a worker that is stopped hands its attempts to the next one at once', async () => {
  await using bench = await openBench();
  const begun = Promise.withResolvers<void>();
  const handed = (busy: boolean) =>
    dag('handed', {}, ({ task }) => {
      task(
        'work',
        async (_: undefined, { signal, attempt }: TaskContext) => {
          if (!busy) return attempt;
          begun.resolve();
          return await new Promise<number>((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('stopped half-way')));
          });
        },
        undefined,
        { retries: 0 },
      );
    });
  const first = await bench.work([handed(true)]);
  const run = await bench.start('handed');
  await begun.promise;
  await first.stop();
  await bench.work([handed(false)]);
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(await bench.ledger.attempts(run.runId)).toMatchObject([{ attempt: 1, state: 'success', output: 1 }]);
});

test('a body that keeps the thread busy for longer than its heartbeat, and those beside it, are not taken for lost', async () => {
  await using bench = await openBench();
  const beginnings: string[] = [];
  const begin = ({ taskId, attemptPrefix }: TaskContext): void => {
    beginnings.push(`${taskId} ${attemptPrefix('t').split('/').at(-2)!}`);
  };
  const idling = Promise.withResolvers<void>();
  const computed = Promise.withResolvers<void>();
  const busy = dag('busy', {}, ({ task }) => {
    const options = { heartbeat: '8s', retries: 0 } as const;
    const compute = async (_: undefined, context: TaskContext): Promise<number> => {
      begin(context);
      await idling.promise;
      // Longer than the heartbeat timeout and what the SDK adds to it.
      const until = performance.now() + 15_000;
      let sum = 0;
      while (performance.now() < until) sum += Math.sqrt(sum + 1);
      setTimeout(computed.resolve, 10_000);
      return sum;
    };
    const idle = async (_: undefined, context: TaskContext): Promise<void> => {
      begin(context);
      idling.resolve();
      await computed.promise;
    };
    task('idle', idle, undefined, options);
    task('compute', compute, undefined, options);
  });
  await bench.work([busy]);
  const run = await bench.start('busy');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(beginnings.toSorted()).toEqual(['compute 1.1', 'idle 1.1']);
});
