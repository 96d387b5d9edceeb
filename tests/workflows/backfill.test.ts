import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { Reprocess } from '../../dag/backfill.ts';
import { TerminalError } from '../../ports/errors.ts';
import { cancelBackfill, pauseBackfill, resumeBackfill } from '../../workers/backfills.ts';
import { cancelRun } from '../../workers/client.ts';
import { reconcileBackfills } from '../../workers/backfill-reconciler.ts';
import { eventually } from '../support/processes.ts';
import { create, day, dayOf, ended, intervals, runsPerDay, until } from './backfill-parts.ts';
import { dag, openBench, type Bench } from './harness.ts';

/** Tasks that wait until the test lets them go, and what was seen of them. */
function gated(id: string) {
  const seen: number[] = [];
  let [open, most] = [0, 0];
  let held = true;
  const failing = new Set<number>();
  const definition = dag(id, { schedule: '@daily' }, ({ task, interval }) => {
    task(
      'only',
      async (input: { start: string }, { signal }: TaskContext) => {
        const index = dayOf(input.start);
        seen.push(index);
        open += 1;
        most = Math.max(most, open);
        try {
          while (held) await delay(20, undefined, { signal });
          if (failing.has(index))
            throw new TerminalError({ expected: 'a good day', found: 'a bad one', remedy: 'Mend it.' });
        } finally {
          open -= 1;
        }
      },
      { start: interval.start },
      { retries: 0 },
    );
  });
  return {
    definition,
    seen,
    failing,
    most: () => most,
    open: () => open,
    hold: () => void (held = true),
    letGo: () => void (held = false),
  };
}

async function untilSeen(gate: ReturnType<typeof gated>, count: number): Promise<void> {
  await eventually(`${count} runs to begin`, () => gate.seen.length >= count || null);
}

const outcomes = ['success', 'failed', 'cancelled'] as const;

/** Day 1 success, 2 failed, 3 cancelled, 4 under way; 5 and 6 without a run. */
async function everyState(bench: Bench, gate: ReturnType<typeof gated>): Promise<() => Promise<unknown>> {
  gate.failing.add(2);
  const [one, two, three] = await Promise.all(
    [1, 2, 3].map((index) => bench.start(gate.definition.id, { interval: day(index) })),
  );
  await untilSeen(gate, 3);
  await cancelRun(bench.client, three!);
  await bench.result(three!);
  gate.letGo();
  const results = await Promise.all([one!, two!, three!].map((run) => bench.result(run)));
  expect(results.map(({ state }) => state)).toEqual(outcomes);
  gate.hold();
  gate.failing.clear();
  const four = await bench.start(gate.definition.id, { interval: day(4) });
  await untilSeen(gate, 4);
  return () => bench.result(four);
}

const cases: [Reprocess, Record<number, string>][] = [
  ['none', { 1: 'skipped', 2: 'skipped', 3: 'skipped', 4: 'skipped', 5: 'success', 6: 'success' }],
  ['failed', { 1: 'skipped', 2: 'success', 3: 'success', 4: 'skipped', 5: 'success', 6: 'success' }],
  ['completed', { 1: 'success', 2: 'success', 3: 'success', 4: 'skipped', 5: 'success', 6: 'success' }],
];

test.each(cases)(
  'reprocess %s runs what it says, and never an interval whose run is under way',
  async (reprocess, expected) => {
    await using bench = await openBench();
    const gate = gated(`policy_${reprocess}`);
    await bench.work([gate.definition]);
    const underWay = await everyState(bench, gate);
    const before = gate.seen.length;
    const created = await create(bench, gate.definition.id, 6, { reprocess, maxActiveRuns: 10 });
    const wanted = Object.values(expected).filter((state) => state === 'success').length;
    await untilSeen(gate, before + wanted);
    // Day 4 is still held by the run that was there first.
    expect(gate.seen.filter((index) => index === 4)).toHaveLength(1);
    gate.letGo();
    await underWay();
    expect(await ended(bench, created)).toMatchObject({
      state: 'success',
      counts: { success: wanted, skipped: 6 - wanted, failed: 0, remaining: 0, total: 6 },
    });
    expect(await intervals(bench, created)).toEqual(expected);
    const runs = await bench.ledger.runs({ dagId: gate.definition.id });
    expect(runs.filter(({ type }) => type === 'backfill')).toHaveLength(wanted);
    const reasons = await bench.ledger.backfillIntervals(created.backfillId, { states: ['skipped'] });
    expect(reasons.find(({ start }) => dayOf(start) === 4)?.reason).toBe('latest run is under way');
  },
);

test('an open run that the ledger does not know yet is not doubled either', async () => {
  await using bench = await openBench();
  const gate = gated('unknown_run');
  // Nobody works on this queue: the run is open, and nothing was recorded of it.
  const elsewhere = await bench.client.workflow.start('unknown_run', {
    workflowId: 'unknown_run-2026-01-03T00:00:00Z',
    taskQueue: 'nobody',
  });
  await bench.work([gate.definition]);
  gate.letGo();
  const created = await create(bench, 'unknown_run', 3, { reprocess: 'completed' });
  expect(await ended(bench, created)).toMatchObject({ state: 'success', counts: { success: 2, skipped: 1 } });
  expect(await intervals(bench, created)).toEqual({ 1: 'success', 2: 'skipped', 3: 'success' });
  await elsewhere.terminate();
});

test('no more runs are open than it may have, oldest first or, backwards, newest first', async () => {
  await using bench = await openBench();
  const [forwards, backwards] = [gated('forwards'), gated('backwards')];
  await bench.work([forwards.definition, backwards.definition]);
  for (const [gate, expected] of [
    [forwards, [1, 2, 3, 4]],
    [backwards, [4, 3, 2, 1]],
  ] as const) {
    const created = await create(bench, gate.definition.id, 4, {
      maxActiveRuns: 1,
      backwards: gate === backwards,
    });
    gate.letGo();
    expect(await ended(bench, created)).toMatchObject({ state: 'success', backwards: gate === backwards });
    expect(gate.seen).toEqual(expected);
    expect(gate.most()).toBe(1);
  }
});

test('executions follow one another, and no run is lost or repeated between them', async () => {
  await using bench = await openBench();
  const gate = gated('renewed');
  gate.letGo();
  gate.failing.add(5);
  await bench.work([gate.definition]);
  const created = await create(bench, 'renewed', 20, { runsPerExecution: 3, maxActiveRuns: 2 });
  expect(await ended(bench, created)).toMatchObject({
    state: 'failed',
    counts: { success: 19, failed: 1, remaining: 0 },
  });
  expect(gate.most()).toBeLessThanOrEqual(2);
  expect(Object.values(await runsPerDay(bench, 'renewed'))).toEqual(Array.from({ length: 20 }, () => 1));
  const last = await bench.client.workflow.getHandle(created.workflowId).describe();
  expect(last.status.name).toBe('FAILED');
  expect(last.runId).not.toBe(created.backfillId);
  expect(last.typedSearchAttributes.getAll().map(({ key }) => key.name)).toContain('IngotDag');
  await expect(bench.client.workflow.getHandle(created.workflowId).result()).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/1 failed.*2026-01-05/) as string },
  });
  const found = await eventually('its runs in the lists', async () => {
    const { count } = await bench.client.workflow.count(`IngotBackfill = '${created.backfillId}'`);
    return count === 20 ? count : null;
  });
  expect(found).toBe(20);
});

test('paused, it starts nothing while its runs go on; resumed, it goes on where it was', async () => {
  await using bench = await openBench();
  const gate = gated('pausing');
  await bench.work([gate.definition]);
  const created = await create(bench, 'pausing', 8, { maxActiveRuns: 2, runsPerExecution: 4 });
  await untilSeen(gate, 2);
  await pauseBackfill(bench.client, created);
  await until(bench, created.backfillId, 'the pause', ({ state }) => state === 'paused');
  gate.letGo();
  const paused = await until(
    bench,
    created.backfillId,
    'the end of its runs',
    ({ counts }) => counts.success === 2,
  );
  expect(paused).toMatchObject({ state: 'paused', counts: { success: 2, running: 0, remaining: 6 } });
  await resumeBackfill(bench.client, created);
  expect(await ended(bench, created)).toMatchObject({ state: 'success', counts: { success: 8 } });
  expect(gate.seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  await expect(pauseBackfill(bench.client, created)).rejects.toThrow(/ended/);
});

test('a pause at the very beginning and a cancellation while paused are both heard', async () => {
  await using bench = await openBench();
  const gate = gated('early');
  const created = await create(bench, 'early', 5);
  await pauseBackfill(bench.client, created);
  await bench.work([gate.definition]);
  await until(bench, created.backfillId, 'the pause', ({ state }) => state === 'paused');
  await cancelBackfill(bench.client, created);
  expect(await ended(bench, created)).toMatchObject({
    state: 'cancelled',
    counts: { remaining: 5, running: 0 },
  });
  expect(gate.seen).toEqual([]);
});

test.each([1, 4, 7])(
  'cancelled once %i runs began, its runs end too and none begins after',
  async (began) => {
    await using bench = await openBench();
    const gate = gated(`cancelled_at_${began}`);
    await bench.work([gate.definition]);
    const created = await create(bench, gate.definition.id, 9, { maxActiveRuns: 3, runsPerExecution: 4 });
    await untilSeen(gate, 1);
    if (began > 3) gate.letGo();
    await untilSeen(gate, began);
    gate.hold();
    await cancelBackfill(bench.client, created);
    const { counts, state } = await ended(bench, created);
    expect(state).toBe('cancelled');
    expect(counts.running).toBe(0);
    const runs = await bench.ledger.runs({ dagId: gate.definition.id });
    expect(runs.filter((run) => run.state === 'running')).toEqual([]);
    expect(runs.filter((run) => run.state === 'success')).toHaveLength(counts.success);
    expect(gate.open()).toBe(0);
    // The ledger hears of the end a moment before the execution closes.
    const handle = bench.client.workflow.getHandle(created.workflowId);
    await expect(handle.result()).rejects.toThrow();
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  },
);

test('created twice, it is one backfill; with other settings it is refused; once it has ended, it is a new one', async () => {
  await using bench = await openBench();
  const gate = gated('backfilled_twice');
  await bench.work([gate.definition]);
  const [first, second] = await Promise.all([
    create(bench, 'backfilled_twice', 4),
    create(bench, 'backfilled_twice', 4),
  ]);
  expect(first.backfillId).toBe(second.backfillId);
  expect(first.joined).not.toBe(second.joined);
  await expect(create(bench, 'backfilled_twice', 4, { reprocess: 'completed' })).rejects.toThrow(
    /other settings.*cancel it first/,
  );
  await untilSeen(gate, 3);
  // Another range that overlaps: what is under way in the first is left alone.
  const wider = await create(bench, 'backfilled_twice', 5, { reprocess: 'completed', maxActiveRuns: 8 });
  await untilSeen(gate, 4);
  gate.letGo();
  expect(await ended(bench, first)).toMatchObject({ state: 'success' });
  expect(await ended(bench, wider)).toMatchObject({ state: 'success' });
  expect(await runsPerDay(bench, 'backfilled_twice')).toEqual({ 1: 1, 2: 1, 3: 1, 4: 1, 5: 1 });
  const third = await create(bench, 'backfilled_twice', 4);
  expect(third.joined).toBe(false);
  expect(await ended(bench, third)).toMatchObject({ state: 'success', counts: { skipped: 4 } });
  expect(await bench.ledger.backfills({ workflowId: first.workflowId })).toMatchObject([
    { backfillId: third.backfillId },
    { backfillId: first.backfillId },
  ]);
});

test('a failed interval stops none of the others, and the outcome names it; a run cancelled by hand counts as well', async () => {
  await using bench = await openBench();
  const gate = gated('partly');
  gate.failing.add(2);
  await bench.work([gate.definition]);
  const created = await create(bench, 'partly', 5, { maxActiveRuns: 5 });
  await untilSeen(gate, 5);
  const [four] = await bench.ledger.runs({ workflowId: `partly-${day(4).end}` });
  await cancelRun(bench.client, four!);
  await bench.result(four!);
  gate.letGo();
  expect(await ended(bench, created)).toMatchObject({
    state: 'failed',
    counts: { success: 3, failed: 1, cancelled: 1 },
  });
  const bad = await bench.ledger.backfillIntervals(created.backfillId, { states: ['failed', 'cancelled'] });
  expect(bad).toMatchObject([
    { start: day(2).start, state: 'failed', reason: expect.stringContaining('a bad one') as string },
    { start: day(4).start, state: 'cancelled', runId: four!.runId },
  ]);
});

test('terminated by force, its runs are cancelled, and the ledger closes it', async () => {
  await using bench = await openBench();
  const gate = gated('terminated');
  await bench.work([gate.definition]);
  const created = await create(bench, 'terminated', 6, { maxActiveRuns: 2 });
  await until(bench, created.backfillId, 'two runs', ({ counts }) => counts.running === 2);
  await untilSeen(gate, 2);
  expect(await reconcileBackfills(bench)).toEqual([]);
  await bench.client.workflow.getHandle(created.workflowId).terminate('by force');
  expect(await reconcileBackfills(bench)).toMatchObject([{ outcome: 'failed', execution: 'terminated' }]);
  expect(await bench.ledger.backfill(created.backfillId)).toMatchObject({
    state: 'failed',
    counts: { running: 0, failed: 2 },
  });
  await eventually('the end of its runs', async () => {
    const runs = await bench.ledger.runs({ dagId: 'terminated' });
    return runs.length === 2 && runs.every(({ state }) => state === 'cancelled') ? true : null;
  });
  expect(await reconcileBackfills(bench)).toEqual([]);
});
