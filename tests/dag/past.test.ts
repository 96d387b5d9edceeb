import { expect, test } from 'vitest';
import { backfillRange } from '../../dag/backfill.ts';
import { previousInterval, settledPast, type PreviousRun } from '../../dag/past.ts';
import { waitText } from '../../dag/wait-text.ts';
import { dag, Driven, planOf } from './support.ts';

const one = (): number => 1;
const daily = { schedule: '@daily', startDate: '2026-01-01', dependsOnPast: true } as const;
const plan = planOf(
  dag('d', daily, ({ task }) => {
    const a = task('a', one);
    task('b', one).after(a);
  }),
);
const before: PreviousRun = {
  dagId: 'd',
  workflowId: 'd-2026-01-01T00:00:00Z',
  interval: { start: '2025-12-31T00:00:00Z', end: '2026-01-01T00:00:00Z' },
  runId: 'r0',
  state: 'running',
};

test('the first interval has no past; that of another is the interval before, also across a change of the clocks', () => {
  expect(previousInterval(plan, '2026-01-01T00:00:00Z')).toBeNull();
  expect(previousInterval(plan, '2026-01-02T00:00:00Z')).toMatchObject({ start: '2026-01-01T00:00:00Z' });
  const berlin = planOf(dag('d', { ...daily, timezone: 'Europe/Berlin' }, ({ task }) => void task('a', one)));
  expect(previousInterval(berlin, '2026-03-29T22:00:00Z')).toMatchObject({
    start: '2026-03-28T23:00:00Z',
    end: '2026-03-29T22:00:00Z',
  });
});

test('each task waits for itself, and the rest of the run for nothing once the run before succeeded', () => {
  const run = new Driven(plan);
  expect(run.commands).toEqual([{ type: 'look_at_past' }]);
  expect(run.instance('a')).toMatchObject({ state: 'waiting', attempt: 1, waitingFor: { reason: 'past' } });
  run.tell({ type: 'past_seen', settled: [], previous: before, tasks: { a: 'running' } });
  expect(run.instance('a').waitingFor).toMatchObject({ past: { ...before, task: 'running' } });
  run.tell({ type: 'past_seen', settled: ['a'], previous: before, tasks: {} });
  expect(run.started()).toEqual(['a']);
  run.succeed('a');
  expect(run.commands).toEqual([{ type: 'look_at_past' }]);
  run.tell({ type: 'past_seen', settled: 'all', previous: before, tasks: {} }).succeed('b');
  expect(run.outcome).toBe('success');
  const free = new Driven(plan).tell({ type: 'past_seen', settled: 'all', previous: before, tasks: {} });
  free.succeed('a');
  expect(free.started()).toEqual(['b']);
});

test('a task is settled by success or a skip there, and when that run does not have it', () => {
  const facts = (state: PreviousRun['state'], runId: string | null = 'r0') => ({
    previous: { ...before, state, runId },
    tasks: new Map([['a', 'success'] as const, ['b', 'skipped'] as const, ['c', 'failed'] as const]),
    known: new Set(['a', 'b', 'c', 'd']),
  });
  const waiting = ['a', 'b', 'c', 'd', 'new'];
  expect(settledPast(facts('failed'), waiting)).toMatchObject({
    settled: ['a', 'b', 'new'],
    tasks: { c: 'failed' },
  });
  expect(settledPast(facts('success'), waiting)).toMatchObject({ settled: 'all' });
  expect(settledPast({ ...facts(null, null), tasks: new Map(), known: new Set() }, waiting)).toMatchObject({
    settled: [],
  });
});

test('a wait for the past names the run or interval and the way out', () => {
  const said = (past: Partial<PreviousRun> & { task?: 'failed' }): string =>
    waitText({ reason: 'past', sinceMs: 0, past: { ...before, task: past.task ?? null, ...past } }, String);
  expect(said({})).toBe('waits for itself in d-2026-01-01T00:00:00Z (running), where it has not begun');
  expect(said({ state: 'failed', task: 'failed' })).toBe(
    'waits for itself in d-2026-01-01T00:00:00Z (failed), where it is failed: clear it there (`ingot tasks clear`), or mark it (`ingot tasks mark`)',
  );
  expect(said({ state: null, runId: null })).toBe(
    'waits for the previous interval, 2025-12-31T00:00:00Z to 2026-01-01T00:00:00Z, which had no run: `ingot run d --date 2025-12-31T00:00:00Z`, or backfill it',
  );
});

test('a backfill backwards of a DAG that depends on the past is refused', () => {
  const now = Date.parse('2026-02-01T00:00:00Z');
  const days = { from: '2026-01-01', to: '2026-01-05' };
  expect(backfillRange(plan, days, true, now)).toEqual([
    {
      place: '--backwards',
      message:
        'expected a DAG whose runs do not depend on the past; found dependsOnPast: each run would wait for the one before, which comes after it. Leave --backwards out.',
    },
  ]);
  expect(backfillRange(plan, days, false, now)).toMatchObject({ backwards: false });
});
