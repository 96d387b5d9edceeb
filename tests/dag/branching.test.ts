import { describe, expect, test } from 'vitest';
import { Driven, dag, planOf } from './support.ts';

const nothing = () => null;

describe('branches', () => {
  const plan = planOf(
    dag('branches', { defaults: { retries: 0 } }, ({ task, branch, group }) => {
      const choose = branch('choose', ['left', 'right', 'side'], () => 'left' as const);
      const left = task('left', nothing).after(choose);
      const right = task('right', nothing).after(choose);
      const side = group('side', () => task('x', nothing)).after(choose);
      task('after-left', nothing).after(left);
      task('join', nothing, undefined, { triggerRule: 'none_failed_min_one_success' }).after(
        left,
        right,
        side,
      );
      task('also-direct', nothing, undefined, { triggerRule: 'none_failed' }).after(choose, left);
    }),
  );

  test('follow what they chose, skip the rest and what depends on it; a join and what the choice leads to still run', () => {
    const run = new Driven(plan).succeed('choose', 'left');
    expect(run.states()).toMatchObject({
      left: 'running',
      right: 'skipped',
      'side.x': 'skipped',
      'also-direct': 'none',
    });
    run.succeed('left').succeed('after-left').succeed('join').succeed('also-direct');
    expect(run.outcome).toBe('success');
  });

  test('can choose several, a whole group, or nothing', () => {
    expect(new Driven(plan).succeed('choose', ['right', 'side']).states()).toMatchObject({
      left: 'skipped',
      right: 'running',
      'side.x': 'running',
      'after-left': 'skipped',
      'also-direct': 'skipped',
    });
    const none = new Driven(plan).succeed('choose', null);
    expect(none.states()).toMatchObject({ left: 'skipped', right: 'skipped', join: 'skipped' });
    expect(none.outcome).toBe('success');
  });

  test('fail when they name something that is not directly downstream', () => {
    const run = new Driven(plan).succeed('choose', ['left', 'after-left']);
    expect(run.instance('choose')).toMatchObject({
      state: 'failed',
      failure: { type: 'BranchChoiceInvalid', message: expect.stringContaining('"after-left"') as string },
    });
    expect(run.outcome).toBe('failed');
  });
});

describe('short circuits', () => {
  const plan = planOf(
    dag('short', {}, ({ task, shortCircuit }) => {
      const other = task('other', nothing);
      const gate = shortCircuit('gate', () => true);
      const a = task('a', nothing).after(gate);
      const b = task('b', nothing, undefined, { triggerRule: 'all_done' }).after(a);
      task('c', nothing, undefined, { triggerRule: 'one_success' }).after(b, other);
      task('d', nothing, undefined, { triggerRule: 'always' }).after(gate);
    }),
  );

  test('skip everything downstream whatever its rule, when the answer is falsy; only what always runs has begun', () => {
    const run = new Driven(plan).succeed('other');
    expect(run.state('c')).toBe('none');
    run.succeed('gate', 0);
    expect(run.states()).toMatchObject({ a: 'skipped', b: 'skipped', c: 'skipped', d: 'running' });
    expect(run.succeed('d').outcome).toBe('success');
  });

  test('leave the rules to decide when the answer is truthy; what waited for the answer goes on', () => {
    const run = new Driven(plan).succeed('other').succeed('gate', [0]);
    expect(run.started()).toEqual(['a', 'c']);
  });
});
