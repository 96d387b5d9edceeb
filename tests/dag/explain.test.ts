import { expect, test } from 'vitest';
import { explain } from '../../dag/explain.ts';
import { explanationText } from '../../dag/explain-text.ts';
import { Driven, dag, planOf } from './support.ts';

const nothing = () => null;
const plan = planOf(
  dag('explained', {}, ({ task, shortCircuit }) => {
    const a = task('a', nothing);
    const b = task('b', nothing);
    const gate = shortCircuit('gate', () => true);
    const c = task('c', nothing).after(a, b);
    task('d', nothing).after(c);
    task('e', nothing, undefined, { triggerRule: 'one_success' }).after(a, task('slow', nothing).after(gate));
  }),
);

test('a task that has not begun names the upstream tasks it waits for', () => {
  const run = new Driven(plan).succeed('a');
  expect(explain(plan, run.progress, 'c')).toEqual({
    kind: 'upstream_open',
    open: [{ taskId: 'b', state: 'running' }],
  });
  expect(explain(plan, run.progress, 'd')).toEqual({
    kind: 'upstream_open',
    open: [{ taskId: 'c', state: 'none' }],
  });
});

test('a task whose rule is met but that a short circuit could still skip names the short circuit', () => {
  expect(explain(plan, new Driven(plan).succeed('a').progress, 'e')).toEqual({
    kind: 'undecided_above',
    open: [{ taskId: 'gate', state: 'running' }],
  });
});

test('a running, a waiting and an unknown one are told apart', () => {
  const run = new Driven(plan).fail('b', { retryable: true });
  expect(explain(plan, run.progress, 'a')).toEqual({ kind: 'running', attempt: 1 });
  expect(explain(plan, run.progress, 'b')).toEqual({
    kind: 'waiting',
    for: { reason: 'retry', untilMs: run.at + 5_000 },
  });
  expect(explain(plan, run.progress, 'z')).toEqual({ kind: 'unknown_instance' });
});

test('a task that ended without running names what decided it', () => {
  const run = new Driven(plan).fail('b');
  expect(explain(plan, run.progress, 'c')).toEqual({
    kind: 'ended',
    state: 'upstream_failed',
    because: [
      { taskId: 'a', state: 'running' },
      { taskId: 'b', state: 'failed' },
    ],
  });
  expect(explain(plan, run.progress, 'b')).toEqual({ kind: 'ended', state: 'failed', because: [] });
});

test('a task of a cancelled run says so', () => {
  expect(explain(plan, new Driven(plan).tell({ type: 'cancel_requested' }).progress, 'd')).toEqual({
    kind: 'run_cancelled',
  });
});

test('an explanation in words says once that it waits, and no attempt of a mapped task', () => {
  const said = (explanation: Parameters<typeof explanationText>[0]) => explanationText(explanation, null);
  expect(said({ kind: 'running', attempt: 2 })).toBe('attempt 2 is under way');
  expect(said({ kind: 'running', attempt: 0 })).toBe('its instances are under way');
  const pool = { reason: 'pool', pool: 'erp', slots: 1, sinceMs: 0, standing: null } as const;
  expect(said({ kind: 'waiting', for: pool })).toBe('waits for 1 slot of pool erp');
  expect(said({ kind: 'waiting', for: { reason: 'approval', untilMs: 0 } })).toBe(
    'waits: approval, until 1970-01-01T00:00:00.000Z',
  );
});
