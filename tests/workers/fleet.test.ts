import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { runWorkflowId } from '../../dag/interval.ts';
import { startRun, runResult, type RunHandle, type RunResult } from '../../workers/client.ts';
import { unpolledTasks } from '../../workers/task-queues.ts';
import { bronze, rates, silver } from '../ports/ledger/fixture.ts';
import { openCalls, startFleetWorker, type FleetPlace, type FleetWorker } from '../support/fleet.ts';
import { homeFolder } from '../support/home-folder.ts';
import { eventually } from '../support/processes.ts';
import { openBench, type Bench } from '../workflows/harness.ts';

// Worker processes start here again and again, on machines that may be busy.
vi.setConfig({ testTimeout: 300_000 });

interface Fleet extends AsyncDisposable {
  readonly bench: Bench;
  readonly calls: Awaited<ReturnType<typeof openCalls>>;
  start(...args: string[]): Promise<FleetWorker>;
}

async function openFleet(): Promise<Fleet> {
  const bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const { home, remove } = homeFolder();
  const place: FleetPlace = { home, taskQueue: bench.taskQueue, ledgerUrl: bench.ledgerUrl };
  const calls = await openCalls(bench.ledgerUrl);
  const workers: FleetWorker[] = [];
  return {
    bench,
    calls,
    start: async (...args) => {
      const worker = await startFleetWorker(place, args);
      workers.push(worker);
      return worker;
    },
    async [Symbol.asyncDispose]() {
      for (const { child } of workers) child.kill('SIGKILL');
      await Promise.all(workers.map(({ end }) => end));
      await calls[Symbol.asyncDispose]();
      await bench[Symbol.asyncDispose]();
      remove();
    },
  };
}

function dayAfter(index: number): { readonly start: string; readonly end: string } {
  const at = (days: number): string =>
    new Date(Date.UTC(2026, 0, 1 + days)).toISOString().replace('.000Z', 'Z');
  return { start: at(index), end: at(index + 1) };
}

test('a rolling restart of two workers under load loses nothing and repeats nothing that counts', async () => {
  await using fleet = await openFleet();
  const { bench, calls } = fleet;
  let [first, second] = await Promise.all([fleet.start('--drain', '1'), fleet.start('--drain', '1')]);
  const runs: RunHandle[] = [];
  const results: Promise<RunResult>[] = [];
  let open = 0;
  let restarted = false;
  // As long as workers come and go there are eight runs under way.
  const load = (async () => {
    for (let index = 0; !restarted;) {
      await delay(50);
      if (open === 8) continue;
      open += 1;
      const { client, taskQueue } = bench;
      const interval = dayAfter((index += 1));
      const run = await startRun(client, { taskQueue, dagId: 'rolling', interval, type: 'manual' });
      runs.push(run);
      results.push(
        runResult(client, run).finally(() => {
          open -= 1;
        }),
      );
    }
  })();
  const codes: (number | null)[] = [];
  for (let round = 0; round < 2; round += 1) {
    for (const old of [first, second]) {
      const before = (await calls.all()).length;
      await eventually('work under way', async () => (await calls.all()).length > before || null);
      old.child.kill('SIGTERM');
      codes.push((await old.end).code);
      const next = await fleet.start('--drain', '1');
      if (old === first) first = next;
      else second = next;
    }
  }
  restarted = true;
  await load;
  expect(codes).toEqual([0, 0, 0, 0]);
  const ended = await Promise.all(results);
  expect(ended.filter(({ state }) => state !== 'success')).toEqual([]);

  const begun = await calls.all();
  expect(begun.length).toBeGreaterThanOrEqual(runs.length * 5);
  // No restart was charged to a task: its retries are 0.
  expect(begun.filter(({ attempt }) => attempt !== 1)).toEqual([]);
  expect(new Set(begun.map(({ worker }) => worker)).size).toBeGreaterThan(2);
  for (const run of runs) {
    const attempts = await bench.ledger.attempts(run.runId);
    expect(attempts.map(({ taskId, attempt, state }) => `${taskId} ${attempt} ${state}`).sort()).toEqual([
      'load 1 success',
      // The map itself, beside its three instances.
      'quick 0 success',
      ...Array.from({ length: 3 }, () => 'quick 1 success'),
      'slow 1 success',
    ]);
    const published = await bench.ledger.history({ runId: run.runId });
    expect(published.map(({ taskId, attempt }) => `${taskId} ${attempt}`)).toEqual(['load 1']);
  }
  expect(await bench.ledger.partitions(silver.name)).toHaveLength(runs.length);
});

test.each([
  ['a body that listens', 'fleet_listening'],
  ['a body that does not', 'fleet_deaf'],
])(
  '%s and does not end within the drain begins again at once elsewhere, free of charge',
  async (_, dagId) => {
    await using fleet = await openFleet();
    const { bench, calls } = fleet;
    const first = await fleet.start('--drain', '1');
    const run = await bench.start(dagId);
    await eventually('the attempt', async () => (await calls.all()).length === 1 || null);
    await fleet.start();
    first.child.kill('SIGTERM');
    expect(await first.end).toMatchObject({ code: 0 });
    expect(await bench.result(run)).toMatchObject({ state: 'success' });
    const [one, two] = await calls.all();
    expect([one!.attempt, two!.attempt]).toEqual([1, 1]);
    expect(one!.worker).not.toBe(two!.worker);
    const { events } = await bench.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    const handedBack = events!.flatMap(
      ({ activityTaskStartedEventAttributes: started }) =>
        started?.lastFailure?.applicationFailureInfo?.type ?? [],
    );
    // Handed back, not missed: a lost heartbeat would be a timeout.
    expect(handedBack).toEqual(['WorkerShutdown']);
  },
);

test('a second signal ends a worker at once', async () => {
  await using fleet = await openFleet();
  const worker = await fleet.start('--drain', '600');
  await fleet.bench.start('fleet_listening', { interval: dayAfter(1) });
  await eventually('the attempt', async () => (await fleet.calls.all()).length === 1 || null);
  worker.child.kill('SIGTERM');
  const again = setInterval(() => worker.child.kill('SIGTERM'), 400);
  expect((await worker.end).code).toBe(143);
  clearInterval(again);
});

test('a task of a queue nobody polls waits, visibly, until a worker polls it', async () => {
  await using fleet = await openFleet();
  const { bench } = fleet;
  const plain = await fleet.start();
  const run = await bench.start('routed');
  expect(run.workflowId).toBe(runWorkflowId('routed', dayAfter(0)));
  const waits = await eventually('the wait', async () => {
    const found = await unpolledTasks(bench.client, bench.ledger, run);
    return found.length > 0 ? found : null;
  });
  expect(waits).toEqual([
    { taskIds: ['special'], queue: 'special', taskQueue: `${bench.taskQueue}.special` },
  ]);
  const special = await fleet.start('--queues', 'special');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  const attempts = await bench.ledger.attempts(run.runId);
  const pids = Object.fromEntries(attempts.map(({ taskId, worker }) => [taskId, worker?.split('@')[0]]));
  expect(pids).toEqual({ plain: String(plain.pid), special: String(special.pid) });
  expect(await unpolledTasks(bench.client, bench.ledger, run)).toEqual([]);
});
