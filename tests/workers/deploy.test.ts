import { isGrpcCancelledError, isGrpcDeadlineError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { DagDefinition } from '../../dag/builder.ts';
import { instantText } from '../../dag/interval.ts';
import { nextTick } from '../../dag/schedule.ts';
import { scheduleId } from '../../workers/deploy.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from '../workflows/harness.ts';
import { daysAgo, deploy, endedRuns, runsOf, tickOnce, uniqueId } from '../workflows/schedules-harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

function small(id: string, options: Parameters<typeof dag>[1]): DagDefinition<TaskContext> {
  return dag(id, options, ({ task }) => {
    task('work', () => 1);
  });
}

const actions = (changes: readonly { readonly dagId: string; readonly action: string }[]) =>
  Object.fromEntries(changes.map((change) => [change.dagId, change.action]));

async function exists(dagId: string): Promise<boolean> {
  return bench.client.schedule
    .getHandle(scheduleId(dagId))
    .describe()
    .then(
      () => true,
      () => false,
    );
}

test('a deploy creates, a second changes nothing, an edit updates, and a schedule taken away is removed', async () => {
  const id = uniqueId('edited');
  await using bench = await openBench();
  const first = small(id, { schedule: '0 6 * * *', timezone: 'Europe/Berlin', jitter: '5s' });
  expect(await deploy(bench, [first], { dryRun: true })).toMatchObject([{ dagId: id, action: 'create' }]);
  expect(await exists(id)).toBe(false);
  expect(await deploy(bench, [first])).toMatchObject([{ dagId: id, action: 'create' }]);
  expect(await deploy(bench, [first])).toEqual([
    { dagId: id, scheduleId: `ingot-${id}`, action: 'unchanged', differences: [], openRuns: 0 },
  ]);
  const second = small(id, {
    schedule: '30 6 * * 1-5',
    timezone: 'Europe/Berlin',
    catchup: true,
    startDate: '2030-01-01',
  });
  expect(await deploy(bench, [second])).toMatchObject([
    {
      action: 'update',
      differences: [
        { field: 'schedule', from: '0 6 * * * Europe/Berlin', to: '30 6 * * 1-5 Europe/Berlin' },
        { field: 'startDate', from: null, to: '2029-12-31T23:00:00Z' },
        { field: 'catchup', from: 'off', to: 'on' },
        { field: 'jitter', from: '5s', to: null },
      ],
    },
  ]);
  expect(actions(await deploy(bench, [second]))).toEqual({ [id]: 'unchanged' });
  expect(actions(await deploy(bench, [small(id, {})]))).toEqual({ [id]: 'remove' });
  expect(await exists(id)).toBe(false);
  expect(await deploy(bench, [small(id, {})])).toEqual([]);
});

test('what somebody changed or stopped in Temporal itself is brought in line again', async () => {
  const id = uniqueId('by-hand');
  await using bench = await openBench();
  const declared = small(id, { schedule: '@daily' });
  await deploy(bench, [declared]);
  const handle = bench.client.schedule.getHandle(scheduleId(id));
  await handle.pause('on holiday');
  expect(await deploy(bench, [declared])).toMatchObject([
    { action: 'update', differences: [{ field: 'clock', from: 'stopped in Temporal' }] },
  ]);
  await handle.update((known) => ({
    ...known,
    action: { type: 'startWorkflow', workflowType: 'tick', taskQueue: bench.taskQueue },
    spec: { intervals: [{ every: '1h' }] },
  }));
  expect(await deploy(bench, [declared])).toMatchObject([
    { action: 'update', differences: [{ field: 'clock', from: 'ticks otherwise in Temporal' }] },
  ]);
  expect(actions(await deploy(bench, [declared]))).toEqual({ [id]: 'unchanged' });
  await handle.delete();
  expect(actions(await deploy(bench, [declared]))).toEqual({ [id]: 'create' });
  await handle.delete();
});

test('a DAG that is gone keeps its schedule until it is pruned; its runs go on, and its clock starts none', async () => {
  const [id, other] = [uniqueId('gone'), uniqueId('stays')];
  await using own = await openBench();
  const gate = Promise.withResolvers<void>();
  const gone = dag(
    id,
    { schedule: '@daily', startDate: daysAgo(3), catchup: true, maxActiveRuns: 1 },
    ({ task }) => {
      task('work', () => gate.promise.then(() => 1));
    },
  );
  const stays = small(other, { schedule: '@yearly' });
  await own.work([gone, stays]);
  await deploy(own, [gone, stays]);
  await eventually('its run', async () => (await runsOf(own, id))[0]);
  expect(actions(await deploy(own, [stays]))).toEqual({ [id]: 'orphaned', [other]: 'unchanged' });
  const pruned = await deploy(own, [stays], { prune: true });
  expect(pruned).toMatchObject([
    { dagId: id, action: 'remove', openRuns: 1 },
    { dagId: other, action: 'unchanged' },
  ]);
  gate.resolve();
  expect(await endedRuns(own, id, 1)).toMatchObject([{ state: 'success' }]);
  expect(await tickOnce(own, id)).toMatchObject({ outcome: 'not_deployed', started: [] });
  expect(await deploy(own, [stays], { prune: true })).toMatchObject([{ dagId: other, action: 'unchanged' }]);
  await own.client.schedule.getHandle(scheduleId(other)).delete();
});

test('a scheduled DAG with a param nobody gives is refused before anything is changed', async () => {
  const [bad, worse] = [uniqueId('bad'), uniqueId('worse')];
  const needy = (id: string) =>
    small(id, { schedule: '@daily', params: { region: { type: 'string', required: true } } });
  await expect(deploy(bench, [needy(bad), needy(worse)])).rejects.toThrow(
    new RegExp(`2 problems[^]*${bad}, param region: [^]*${worse}, param region`),
  );
  expect(await exists(bad)).toBe(false);
});

test('two deploys at the same moment leave one schedule as declared', async () => {
  const id = uniqueId('twice');
  await using own = await openBench();
  const declared = small(id, { schedule: '@daily' });
  await Promise.all([deploy(own, [declared]), deploy(own, [declared])]);
  expect(actions(await deploy(own, [declared]))).toEqual({ [id]: 'unchanged' });
  await bench.client.schedule.getHandle(scheduleId(id)).delete();
});

test('ticks that came while no worker was there are all made up, once one is', async () => {
  const id = uniqueId('alone');
  await using own = await openBench();
  const often = small(id, { schedule: { every: '1s' } });
  await deploy(own, [often]);
  const deployedTo = (await own.ledger.clock(id))!.tickedTo!;
  await eventually('ticks that wait', async () => {
    const described = await answered(() => own.client.schedule.getHandle(scheduleId(id)).describe());
    return Number(described?.raw.info?.bufferSize ?? 0) >= 4 || null;
  });
  const waitedTo = Math.floor(Date.now() / 1000) * 1000;
  await own.work([often]);
  // Runs that were started one after another need not begin in that order: wait for each of them, not for the last.
  const wanted: string[] = [];
  for (let start = Date.parse(deployedTo); start < waitedTo; start += 1000) wanted.push(instantText(start));
  const starts = async (): Promise<string[]> =>
    (await runsOf(own, id)).map((run) => run.intervalStart).filter((start) => Date.parse(start) < waitedTo);
  await eventually('a run of every interval of the wait', async () =>
    (await starts()).length >= wanted.length ? true : null,
  );
  await own.client.schedule.getHandle(scheduleId(id)).delete();
  expect(wanted.length).toBeGreaterThanOrEqual(4);
  expect(await starts()).toEqual(wanted);
});

const year = new Date().getUTCFullYear() + 1;

/** The answer, or null when a busy server gave the question up. */
async function answered<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    // Which of the two a question is told whose time is up depends on who notices first.
    if (isGrpcDeadlineError(error) || isGrpcCancelledError(error)) return null;
    throw error;
  }
}

function matchingTimes(dagId: string, from: number, to: number): Promise<number[]> {
  const { connection, workflowService } = bench.client;
  return eventually(`the times of ${dagId}`, async () => {
    const found = await answered(() =>
      connection.withDeadline(Date.now() + 10_000, () =>
        workflowService.listScheduleMatchingTimes({
          namespace: 'default',
          scheduleId: scheduleId(dagId),
          startTime: { seconds: Math.floor(from / 1000) as never },
          endTime: { seconds: Math.floor(to / 1000) as never },
        }),
      ),
    );
    return found === null ? null : (found.startTime ?? []).map((time) => Number(time.seconds) * 1000);
  });
}

test.each([
  ['30 2 * * *', 'Europe/Berlin'],
  ['15 2,3 * * *', 'America/New_York'],
  ['10 2 * * *', 'Australia/Lord_Howe'],
  ['0 0 * * *', 'America/Asuncion'],
  ['*/20 1-3 * 3,10 0', 'Europe/London'],
  ['0 0 13 * fri', 'UTC'],
  ['5 4 */10 * mon', 'Asia/Tokyo'],
  ['0 0 29 2 *', 'Europe/Berlin'],
  ['0 * * * *', 'Australia/Lord_Howe'],
  ['*/30 * * * *', 'Europe/Berlin'],
])('the clock of %s in %s misses no tick in a year of daylight saving', async (cron, timezone) => {
  const id = uniqueId('clock');
  const declared = small(id, { schedule: cron, timezone });
  await deploy(bench, [declared]);
  const [from, to] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
  const wanted: number[] = [];
  for (let at = nextTick({ cron }, timezone, from); at < to; at = nextTick({ cron }, timezone, at))
    wanted.push(at);
  const given = new Set<number>();
  // The server answers with at most a thousand times at once: so far that there is room for some that are too many.
  for (let index = 0; index < wanted.length; index += 900) {
    const start = index === 0 ? from : wanted[index]!;
    const end = wanted[index + 900] ?? to;
    for (const time of await matchingTimes(id, start - 1000, end - 1)) given.add(time);
  }
  await bench.client.schedule.getHandle(scheduleId(id)).delete();
  expect(wanted.filter((at) => !given.has(at)).map((at) => new Date(at).toISOString())).toEqual([]);
  expect([...given].filter((at) => at >= from && at < to).length).toBeLessThanOrEqual(wanted.length + 24);
});
