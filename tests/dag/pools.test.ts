import { expect, test } from 'vitest';
import { waitText } from '../../dag/wait-text.ts';
import { dag, Driven, planOf, problemsOf } from './support.ts';

const one = (): number => 1;
const clock = (ms: number): string => String(ms);

test('pool, slots and priority of a task are in the plan; without a pool nothing is', () => {
  const plan = planOf(
    dag('d', { defaults: { pool: 'p' } }, ({ task, wait }) => {
      task('a', one, undefined, { poolSlots: 2, priority: 5 });
      task('b', one, undefined, { pool: 'other' });
      wait('c', { for: '1s' });
    }),
  );
  expect(plan.tasks.map(({ pool }) => pool)).toEqual([
    { name: 'p', slots: 2, priority: 5 },
    { name: 'other', slots: 1, priority: 0 },
    undefined,
  ]);
  const plain = planOf(dag('d', {}, ({ task }) => void task('a', one)));
  expect(plain.tasks[0]).not.toHaveProperty('pool');
  expect(plain).not.toHaveProperty('dependsOnPast');
});

test('what is wrong with pools and dependsOnPast is told at once', () => {
  const problems = problemsOf(
    dag('d', { dependsOnPast: true }, ({ task }) => {
      task('a', one, undefined, { poolSlots: 2 });
      task('b', one, undefined, { priority: 2 });
      task('c', one, undefined, { pool: 'no spaces', poolSlots: 0 });
    }),
  );
  expect(problems).toEqual([
    'dag d: expected a startDate beside dependsOnPast; found none. Its first interval is the one that waits for nothing.',
    "dag d, task a: expected a pool for poolSlots; found none. Name one, such as pool: 'warehouse', or leave it out.",
    "dag d, task b: expected a pool for priority; found none. Name one, such as pool: 'warehouse', or leave it out.",
    'dag d, task c: expected a pool name of at most 100 letters, digits, _, . and -; found "no spaces". Rename the pool.',
    'dag d, task c: expected poolSlots to be a whole number from 1 to 1000000; found 0. Correct the option.',
  ]);
});

const pooled = planOf(
  dag('d', {}, ({ task, sensor }) => {
    task('a', one, undefined, { pool: 'p', retries: { limit: 1, initial: '1m' } });
    sensor('s', () => ({ done: true }), undefined, { pool: 'p', timeout: '10m', pokeEvery: '1m' });
  }),
);

test('an attempt asks for its slots, gives them back at its end, and asks again for the retry', () => {
  const run = new Driven(pooled);
  const pool = { name: 'p', slots: 1, priority: 0 };
  expect(run.commands).toEqual([
    { type: 'ask_pool', key: 'a', pool },
    { type: 'ask_pool', key: 's', pool },
  ]);
  expect(run.instance('a')).toMatchObject({ state: 'waiting', attempt: 1, waitingFor: { reason: 'pool' } });
  run.tell({ type: 'pools_answered', answers: [{ key: 'a', type: 'granted' }] });
  expect(run.started()).toEqual(['a']);
  run.fail('a', { retryable: true });
  expect(run.commands).toMatchObject([{ type: 'release_pool', key: 'a' }, { type: 'start_timer' }]);
  run.wake('a');
  expect(run.commands).toEqual([{ type: 'ask_pool', key: 'a', pool }]);
  expect(run.instance('a')).toMatchObject({ state: 'waiting', attempt: 2 });
  // A grant nobody waits for any more changes nothing.
  run.tell({ type: 'pools_answered', answers: [{ key: 'a', type: 'granted' }] }).succeed('a');
  run.tell({ type: 'pools_answered', answers: [{ key: 'a', type: 'granted' }] });
  expect(run.started()).toEqual([]);
});

test('a sensor holds no slot between pokes, and its time runs from the first poke', () => {
  const run = new Driven(pooled).later(3_600_000);
  run.tell({ type: 'pools_answered', answers: [{ key: 's', type: 'granted' }] });
  run.succeed('s', { done: false });
  expect(run.state('s')).toBe('waiting');
  expect(run.commands.map(({ type }) => type)).toEqual(['release_pool', 'start_timer']);
  run.wake('s');
  expect(run.commands).toMatchObject([{ type: 'ask_pool', key: 's' }]);
});

test('a cancelled run leaves its pools: what never ran is skipped, a retry has failed', () => {
  const run = new Driven(pooled);
  run.tell({ type: 'pools_answered', answers: [{ key: 'a', type: 'granted' }] });
  run.fail('a', { retryable: true }).wake('a').tell({ type: 'cancel_requested' });
  expect(run.commands.filter(({ type }) => type === 'release_pool')).toHaveLength(2);
  expect(run.states()).toEqual({ a: 'failed', s: 'skipped' });
  expect(run.outcome).toBe('cancelled');
});

test('what a pool refuses fails the task with its words, and without a retry', () => {
  const failure = { type: 'PoolTooSmall', message: 'too small', retryable: false };
  const run = new Driven(pooled);
  run.tell({ type: 'pools_answered', answers: [{ key: 'a', type: 'refused', failure }] });
  expect(run.instance('a')).toMatchObject({ state: 'failed', failure });
});

test('a wait for a pool says who holds it, and what to do where waiting does not help', () => {
  const wait = { reason: 'pool', pool: 'p', slots: 2, sinceMs: 0 } as const;
  const heldBy = [{ run: 'd-1', task: 'a', slots: 1 }];
  const said = (size: number | null, held = 0): string =>
    waitText({ ...wait, standing: { size, held, heldBy: held === 0 ? [] : heldBy, ahead: 3 } }, clock);
  expect(waitText({ ...wait, standing: null }, clock)).toBe('waits for 2 slots of pool p');
  expect(said(4, 1)).toBe('waits for 2 slots of pool p: 1 of 4 held by d-1 a; 3 ahead');
  expect(said(4, 3)).toBe('waits for 2 slots of pool p: 3 of 4 held by d-1 a and others; 3 ahead');
  expect(said(null)).toBe('pool p does not exist; create it with `ingot pools set p 2`');
  expect(said(0)).toBe('waits for 2 slots of pool p, which is closed: it has 0 slots');
  expect(said(1)).toBe(
    'waits for 2 slots of pool p, which has only 1: enlarge it with `ingot pools set p 2`',
  );
});
