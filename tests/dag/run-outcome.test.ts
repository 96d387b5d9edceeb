import { describe, expect, test } from 'vitest';
import type { TriggerRule } from '../../dag/plan.ts';
import { Driven, dag, planOf } from './support.ts';

const nothing = () => null;

describe('cancelling', () => {
  const plan = planOf(
    dag('cancel', {}, ({ task, wait, sensor, map }) => {
      const a = task('a', nothing);
      task('b', nothing).after(a);
      task('retrying', nothing, undefined, { retries: 5 });
      wait('pause', { for: '1h' });
      sensor('arrived', () => ({ done: true }), undefined, { timeout: '1h' });
      map('each', [1, 2], (n: number) => n);
    }),
  );

  test('cancels timers, lets running attempts end, begins nothing new, and ends cancelled', () => {
    const run = new Driven(plan).fail('retrying', { retryable: true }).succeed('arrived', { done: false });
    run.tell({ type: 'cancel_requested' });
    expect(run.commands).toEqual([
      { type: 'cancel_timer', key: 'arrived' },
      { type: 'cancel_timer', key: 'pause' },
      { type: 'cancel_timer', key: 'retrying' },
    ]);
    expect(run.states()).toEqual({
      a: 'running',
      b: 'none',
      arrived: 'skipped',
      pause: 'skipped',
      retrying: 'failed',
      each: 'running',
      'each[0]': 'running',
      'each[1]': 'running',
    });
    run.succeed('a').fail('each[0]', { retryable: true });
    expect(run.commands).toEqual([]);
    expect(run.state('b')).toBe('none');
    run.tell({ type: 'task_unknown', key: 'each[1]', attempt: 1 });
    expect(run.commands).toEqual([
      { type: 'finish_run', outcome: 'cancelled', failures: ['each[0]', 'retrying'] },
    ]);
  });

  test('ends at once when nothing runs, and asking twice changes nothing', () => {
    const run = new Driven(planOf(dag('w', {}, ({ wait }) => void wait('pause', { for: '1h' }))));
    expect(run.tell({ type: 'cancel_requested' }).outcome).toBe('cancelled');
    expect(run.tell({ type: 'cancel_requested' }).commands).toEqual([]);
  });
});

describe('the outcome of a run', () => {
  const outcome = (rule: TriggerRule, handlesFailure: boolean): string => {
    const plan = planOf(
      dag('o', { defaults: { retries: 0 } }, ({ task }) => {
        const a = task('a', nothing);
        task('after', nothing).after(a);
        task('reaction', nothing, undefined, {
          triggerRule: rule,
          ...(handlesFailure ? { handlesFailure } : {}),
        }).after(a);
      }),
    );
    const run = new Driven(plan).fail('a');
    return run.succeed('reaction').outcome!;
  };

  test.each(['all_done', 'one_failed', 'all_failed', 'one_done', 'none_skipped'] as const)(
    'stays failed when a leaf with %s succeeded',
    (rule) => {
      expect(outcome(rule, false)).toBe('failed');
    },
  );

  test.each(['one_failed', 'all_failed'] as const)(
    'is success when a task with %s that is declared to handle the failure succeeded',
    (rule) => {
      expect(outcome(rule, true)).toBe('success');
    },
  );

  const fallback = planOf(
    dag('f', { defaults: { retries: 0 } }, ({ task }) => {
      const a = task('a', nothing);
      const b = task('b', nothing).after(a);
      const other = task('other', nothing);
      task('fallback', nothing, undefined, { triggerRule: 'one_failed', handlesFailure: true }).after(
        b,
        other,
      );
    }),
  );

  test('a handler catches a failure that reached it through upstream_failed tasks', () => {
    expect(new Driven(fallback).fail('a').succeed('fallback').succeed('other').outcome).toBe('success');
  });

  test('a handler that fails itself handles nothing', () => {
    const run = new Driven(fallback).fail('a').fail('fallback').succeed('other');
    expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'failed', failures: ['a', 'fallback'] }]);
  });
});
