import { describe, expect, test } from 'vitest';
import { Driven, dag, planOf } from './support.ts';

const nothing = () => null;

describe('retries', () => {
  const plan = planOf(
    dag('retries', {}, ({ task }) => {
      const a = task('a', nothing, undefined, {
        retries: {
          limit: 3,
          initial: '10s',
          factor: 3,
          max: '1m',
          rules: [
            { errorType: 'Throttled', action: 'retry', delay: '2m' },
            { errorType: 'Schema', action: 'fail' },
          ],
        },
      });
      task('b', nothing).after(a);
    }),
  );

  test('wait longer each time, up to the cap, and end with the budget', () => {
    const run = new Driven(plan);
    const waits: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      run.fail('a', { retryable: true });
      expect(run.instance('a')).toMatchObject({
        state: 'up_for_retry',
        failures: n + 1,
        waitingFor: { reason: 'retry' },
      });
      expect(run.commands).toEqual([
        { type: 'start_timer', key: 'a', untilMs: run.instance('a').waitingFor!.untilMs! },
      ]);
      waits.push(run.instance('a').waitingFor!.untilMs! - run.at);
      expect(run.wake('a').commands).toMatchObject([{ type: 'start_attempt', attempt: n + 2 }]);
    }
    expect(waits).toEqual([10_000, 30_000, 60_000]);
    run.fail('a', { retryable: true, message: 'the last' });
    expect(run.instance('a')).toMatchObject({
      state: 'failed',
      failures: 4,
      attempt: 4,
      failure: { message: 'the last' },
    });
    expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'failed', failures: ['a'] }]);
  });

  test('do not happen for a failure that retrying cannot help', () => {
    expect(new Driven(plan).fail('a', { retryable: false }).state('a')).toBe('failed');
  });

  test('follow the first rule for the type of the error, whatever the error says of itself', () => {
    const run = new Driven(plan).fail('a', { type: 'Throttled', retryable: false });
    expect(run.instance('a').waitingFor!.untilMs! - run.at).toBe(120_000);
    expect(new Driven(plan).fail('a', { type: 'Schema', retryable: true }).state('a')).toBe('failed');
  });

  test('a later success forgets the failure but not the number of attempts', () => {
    const run = new Driven(plan).fail('a', { retryable: true }).wake('a').succeed('a', 5);
    expect(run.instance('a')).toMatchObject({
      state: 'success',
      attempt: 2,
      failures: 1,
      failure: null,
      output: 5,
    });
  });

  test('what an earlier attempt says late is ignored', () => {
    const run = new Driven(plan).fail('a', { retryable: true }).wake('a');
    run.tell({ type: 'attempt_succeeded', key: 'a', attempt: 1, output: 'zombie' });
    expect(run.changed).toEqual([]);
    expect(run.instance('a')).toMatchObject({ state: 'running', attempt: 2 });
    run.tell({ type: 'timer_fired', key: 'a' });
    expect(run.changed).toEqual([]);
  });
});

test('a snapshot conflict begins a new attempt soon, outside the retry budget, with leases after three', () => {
  const run = new Driven(
    planOf(dag('c', {}, ({ task }) => void task('a', nothing, undefined, { retries: 0 }))),
  );
  const leases: boolean[] = [];
  for (let n = 1; n <= 4; n += 1) {
    run.tell({ type: 'snapshot_conflicted', key: 'a', attempt: n });
    expect(run.instance('a')).toMatchObject({
      state: 'waiting',
      waitingFor: { reason: 'snapshot_conflict' },
      conflicts: n,
      failures: 0,
    });
    expect(run.instance('a').waitingFor!.untilMs! - run.at).toBeLessThanOrEqual(1_000);
    run.wake('a');
    leases.push((run.commands[0] as { lease: boolean }).lease);
  }
  expect(leases).toEqual([false, false, true, true]);
  expect(run.instance('a').attempt).toBe(5);
  expect(run.succeed('a').outcome).toBe('success');
});

test('a task that conflicts without end fails in the end, and says what to do', () => {
  const run = new Driven(planOf(dag('c', {}, ({ task }) => void task('a', nothing))));
  while (run.outcome === null) {
    run.tell({ type: 'snapshot_conflicted', key: 'a', attempt: run.instance('a').attempt });
    if (run.outcome === null) run.wake('a');
  }
  expect(run.instance('a')).toMatchObject({
    state: 'failed',
    conflicts: 21,
    failure: { type: 'SnapshotConflict' },
  });
});

test('a task that no worker knows waits 10 s, then longer, up to 60 s, at the same attempt and without using the budget', () => {
  const run = new Driven(
    planOf(dag('u', {}, ({ task }) => void task('a', nothing, undefined, { retries: 0 }))),
  );
  const gaps: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    run.tell({ type: 'task_unknown', key: 'a', attempt: 1 });
    expect(run.instance('a')).toMatchObject({
      state: 'waiting',
      waitingFor: { reason: 'no_worker_knows_task' },
      attempt: 1,
      failures: 0,
    });
    gaps.push(run.instance('a').waitingFor!.untilMs! - run.at);
    expect(run.wake('a').commands).toMatchObject([{ type: 'start_attempt', attempt: 1 }]);
  }
  expect(gaps).toEqual([10_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(run.succeed('a').outcome).toBe('success');
});
