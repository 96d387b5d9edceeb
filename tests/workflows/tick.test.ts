import { afterAll, beforeAll, expect, test } from 'vitest';
import { clockBeginsAt } from '../../dag/due.ts';
import { scheduleId, tickNow } from '../../workers/deploy.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from './harness.ts';
import {
  daysAgo,
  deploy,
  endedRuns,
  planOf,
  runsOf,
  scheduledTicks,
  tickOnce,
  uniqueId,
} from './schedules-harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

function daily(id: string, options: Parameters<typeof dag>[1] = {}) {
  return dag(id, { schedule: '@daily', ...options }, ({ task }) => {
    task('work', () => 1);
  });
}

const logicalDates = async (dagId: string): Promise<string[]> =>
  (await runsOf(bench, dagId)).map((run) => run.logicalDate.slice(0, 10));

test('a deployed DAG runs for its latest interval, and its schedule starts one run for each interval after that', async () => {
  const id = uniqueId('often');
  const often = dag(id, { schedule: { every: '1s' } }, ({ task }) => {
    task('work', () => 1);
  });
  await using worker = await started([often]);
  expect(worker).toBeDefined();
  await deploy(bench, [often]);
  const runs = await endedRuns(bench, id, 5);
  await bench.client.schedule.getHandle(scheduleId(id)).delete();
  expect(new Set(runs.map((run) => run.type))).toEqual(new Set(['scheduled']));
  const ends = runs.map((run) => Date.parse(run.intervalEnd));
  expect(ends).toEqual(ends.map((_, index) => ends[0]! + index * 1000));
});

async function started(dags: Parameters<Bench['work']>[0]): Promise<AsyncDisposable> {
  const worker = await bench.work(dags);
  return { [Symbol.asyncDispose]: () => worker.stop() };
}

test('without catchup only the latest interval is run; with it every one since the start, oldest first', async () => {
  const [lazy, eager] = [uniqueId('lazy'), uniqueId('eager')];
  const dags = [
    daily(lazy, { startDate: daysAgo(5) }),
    daily(eager, { startDate: daysAgo(5), catchup: true, maxActiveRuns: 1 }),
  ];
  await using _ = await started(dags);
  await deploy(bench, dags);
  await endedRuns(bench, eager, 5);
  await endedRuns(bench, lazy, 1);
  expect(await logicalDates(lazy)).toEqual([daysAgo(1)]);
  expect(await logicalDates(eager)).toEqual([5, 4, 3, 2, 1].map(daysAgo));
  const inOrder = (await runsOf(bench, eager)).toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  expect(inOrder.map((run) => run.logicalDate.slice(0, 10))).toEqual([5, 4, 3, 2, 1].map(daysAgo));
  expect(await tickOnce(bench, eager)).toEqual({ dagId: eager, outcome: 'done', started: [] });
});

test('an interval that was run by hand is not run again', async () => {
  const id = uniqueId('by-hand');
  const dags = [daily(id, { startDate: daysAgo(3), catchup: true })];
  await using _ = await started(dags);
  const interval = { start: `${daysAgo(2)}T00:00:00Z`, end: `${daysAgo(1)}T00:00:00Z` };
  await bench.result(await bench.start(id, { interval }));
  await deploy(bench, dags);
  const runs = await endedRuns(bench, id, 3);
  expect(runs.map((run) => run.type)).toEqual(['scheduled', 'manual', 'scheduled']);
});

test('a paused DAG starts nothing over deploys; unpaused, catchup makes up what it missed', async () => {
  const id = uniqueId('paused');
  const build = (catchup: boolean) => daily(id, { startDate: daysAgo(4), catchup });
  await using _ = await started([build(true)]);
  expect(await bench.ledger.pause(id)).toBe(true);
  expect(await bench.ledger.pause(id)).toBe(false);
  await deploy(bench, [build(true)]);
  await deploy(bench, [build(false)]);
  await deploy(bench, [build(true)]);
  expect(await tickOnce(bench, id)).toMatchObject({ outcome: 'paused', started: [] });
  expect(await runsOf(bench, id)).toEqual([]);
  expect(await bench.ledger.unpause(id, clockBeginsAt(planOf(build(true)), Date.now()))).toBe(true);
  expect(await tickNow(bench.client, id)).toBe(true);
  await endedRuns(bench, id, 4);
  expect(await logicalDates(id)).toEqual([4, 3, 2, 1].map(daysAgo));
});

test('no more runs are active than may be, scheduled and by hand together; the rest wait and say so', async () => {
  const id = uniqueId('limited');
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const limited = dag(
    id,
    { schedule: '@daily', startDate: daysAgo(4), catchup: true, maxActiveRuns: 2 },
    ({ task }) => {
      task('work', async (_: undefined, context) => {
        order.push(context.interval.start.slice(0, 10));
        await gate.promise;
      });
    },
  );
  await using _ = await started([limited]);
  await deploy(bench, [limited]);
  await eventually('two runs at work', () => order.length === 2 || null);
  const byHand = await bench.start(id, {
    interval: { start: '2020-01-01T00:00:00Z', end: '2020-01-02T00:00:00Z' },
  });
  const view = await eventually('a run that waits', async () => {
    const run = await bench.ledger.run(byHand.runId);
    if (run?.queued !== true) return null;
    const seen = await bench.client.workflow
      .getHandle(byHand.workflowId)
      .query<{ waitingFor: string }>('progress');
    return seen.waitingFor === 'its turn under maxActiveRuns' ? seen : null;
  });
  expect(view).toMatchObject({ state: 'running', tasks: [] });
  // Which of the two begins its task first is a matter of luck.
  expect(order.toSorted()).toEqual([daysAgo(4), daysAgo(3)]);
  expect(await bench.ledger.admitRun(byHand.runId)).toMatchObject({
    admitted: false,
    maxActiveRuns: 2,
    ahead: 0,
    active: expect.arrayContaining([expect.stringContaining(id)]),
  });
  const [tick] = await scheduledTicks(bench, id);
  const details = await bench.client.workflow
    .getHandle(tick!.workflowId)
    .query<string>('__temporal_workflow_metadata');
  expect(JSON.stringify(details)).toContain('maxActiveRuns 2 is reached by');
  gate.resolve();
  const runs = await endedRuns(bench, id, 5);
  expect(runs.map((run) => run.state)).toEqual(Array.from({ length: 5 }, () => 'success'));
  expect(order).toContain('2020-01-01');
});

test('a run that is cancelled while it waits ends without having done anything, and the next gets its turn', async () => {
  const id = uniqueId('cancelled');
  const gate = Promise.withResolvers<void>();
  const one = dag(id, { maxActiveRuns: 1 }, ({ task }) => {
    task('work', () => gate.promise.then(() => 1));
  });
  await using _ = await started([one]);
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'].map((date) => `${date}T00:00:00Z`);
  const runs = [];
  for (const index of [0, 1, 2]) {
    const run = await bench.start(id, { interval: { start: days[index]!, end: days[index + 1]! } });
    runs.push(run);
    await eventually('its record', () => bench.ledger.run(run.runId));
  }
  await bench.client.workflow.getHandle(runs[1]!.workflowId).cancel();
  expect(await bench.result(runs[1]!)).toMatchObject({ state: 'cancelled' });
  expect(await bench.ledger.run(runs[1]!.runId)).toMatchObject({ state: 'cancelled', queued: false });
  expect(await bench.activityTypes(runs[1]!)).not.toContain(`${id}.work`);
  gate.resolve();
  expect(await bench.result(runs[2]!)).toMatchObject({ state: 'success' });
});

test('a schedule that is edited while a run is under way leaves the run alone and holds from the next interval on', async () => {
  const id = uniqueId('edited');
  const gate = Promise.withResolvers<void>();
  const build = (schedule: string) =>
    dag(id, { schedule, startDate: daysAgo(2), catchup: true, maxActiveRuns: 1 }, ({ task }) => {
      task('work', () => gate.promise.then(() => schedule));
    });
  await using _ = await started([build('@daily')]);
  await deploy(bench, [build('@daily')]);
  const [first] = await eventually('its first run', async () => {
    const runs = await runsOf(bench, id);
    return runs.length > 0 ? runs : null;
  });
  expect(await deploy(bench, [build('0 */6 * * *')])).toContainEqual(
    expect.objectContaining({ dagId: id, action: 'update' }),
  );
  gate.resolve();
  const runs = await endedRuns(bench, id, 5);
  expect(await bench.ledger.run(first!.runId)).toMatchObject({ planHash: first!.planHash, state: 'success' });
  expect(runs.map((run) => run.intervalStart).slice(0, 5)).toEqual([
    `${daysAgo(2)}T00:00:00Z`,
    `${daysAgo(1)}T00:00:00Z`,
    `${daysAgo(1)}T06:00:00Z`,
    `${daysAgo(1)}T12:00:00Z`,
    `${daysAgo(1)}T18:00:00Z`,
  ]);
});

test('a long catchup starts every interval once, with the history of its tick bounded', async () => {
  const id = uniqueId('long');
  const hours = 16 * 24;
  const startDate = daysAgo(16);
  const endDate = new Date(Date.parse(`${startDate}T00:00:00Z`) + (hours - 1) * 3_600_000).toISOString();
  const long = dag(
    id,
    { schedule: '@hourly', startDate, endDate, catchup: true, maxActiveRuns: 40 },
    ({ task }) => {
      task('work', () => 1);
    },
  );
  await using _ = await started([long]);
  await deploy(bench, [long]);
  const tick = await eventually('its tick', async () => (await scheduledTicks(bench, id))[0]);
  await bench.client.workflow.getHandle(tick.workflowId).result();
  const runs = await endedRuns(bench, id, hours);
  expect(runs.map((run) => Date.parse(run.intervalStart))).toEqual(
    Array.from({ length: hours }, (_, index) => Date.parse(`${startDate}T00:00:00Z`) + index * 3_600_000),
  );
  const executions = [];
  for await (const each of bench.client.workflow.list({ query: `WorkflowId = '${tick.workflowId}'` }))
    executions.push(each.historyLength);
  expect(executions.length).toBeGreaterThan(1);
  expect(Math.max(...executions)).toBeLessThan(4000);
}, 180_000);
