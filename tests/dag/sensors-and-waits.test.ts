import { describe, expect, test } from 'vitest';
import { Driven, dag, planOf } from './support.ts';

const nothing = () => null;

describe('sensors', () => {
  const plan = (softFail = false) =>
    planOf(
      dag('sensors', {}, ({ task, sensor }) => {
        const arrived = sensor('arrived', () => ({ done: true as boolean, value: { key: 'k' } }), undefined, {
          timeout: '1m',
          pokeEvery: '25s',
          softFail,
          retries: { limit: 1, initial: '5s' },
        });
        task('use', (_input: { key: string }) => null, { key: arrived.output.key });
      }),
    );

  test('are poked until done, within one attempt, and give their value', () => {
    const run = new Driven(plan()).later(100).succeed('arrived', { done: false });
    expect(run.instance('arrived')).toMatchObject({
      state: 'waiting',
      waitingFor: { reason: 'sensor', untilMs: run.at + 25_000 },
    });
    expect(run.wake('arrived').commands).toMatchObject([
      { type: 'start_attempt', key: 'arrived', attempt: 1 },
    ]);
    run.succeed('arrived', { done: true, value: { key: 'found' } });
    expect(run.commands).toMatchObject([{ key: 'use', input: { key: 'found' } }]);
  });

  test('are poked a last time when their time is over, and then fail without a retry', () => {
    const run = new Driven(plan());
    const start = run.at;
    const pokes = [0];
    run.succeed('arrived', { done: false });
    while (run.state('arrived') === 'waiting') {
      pokes.push(run.wake('arrived').at - start);
      run.succeed('arrived', { done: false });
    }
    expect(pokes).toEqual([0, 25_000, 50_000, 60_000]);
    expect(run.instance('arrived')).toMatchObject({
      state: 'failed',
      attempt: 1,
      failure: { type: 'SensorTimeout', message: expect.stringContaining('within 1m') as string },
    });
  });

  test('are skipped in place of failing when softFail is set', () => {
    const run = new Driven(plan(true)).later(60_000).succeed('arrived', { done: false });
    expect(run.states()).toMatchObject({ arrived: 'skipped', use: 'skipped' });
    expect(run.outcome).toBe('success');
  });

  test('retry a poke that fails without starting their time anew', () => {
    const run = new Driven(plan()).later(58_000).fail('arrived', { retryable: true });
    expect(run.instance('arrived')).toMatchObject({ state: 'up_for_retry' });
    run.wake('arrived');
    expect(run.at - 1_000_000).toBe(60_000);
    run.fail('arrived', { retryable: true, message: 'still down' });
    expect(run.state('arrived')).toBe('failed');
    const late = new Driven(plan()).later(61_000).fail('arrived', { retryable: true, message: 'still down' });
    expect(late.instance('arrived').failure).toMatchObject({
      type: 'SensorTimeout',
      message: expect.stringContaining('still down') as string,
    });
  });

  test('fail when they do not answer whether they are done', () => {
    expect(new Driven(plan()).succeed('arrived', 'yes').instance('arrived').failure).toMatchObject({
      type: 'SensorAnswerInvalid',
    });
  });
});

describe('waits', () => {
  test('for a length of time count from when they became ready', () => {
    const run = new Driven(
      planOf(dag('w', {}, ({ task, wait }) => void wait('pause', { for: '10m' }).after(task('a', nothing)))),
    )
      .later(500)
      .succeed('a');
    expect(run.commands).toEqual([{ type: 'start_timer', key: 'pause', untilMs: run.at + 600_000 }]);
    expect(run.instance('pause')).toMatchObject({ state: 'waiting', waitingFor: { reason: 'timer' } });
    expect(run.wake('pause').outcome).toBe('success');
  });

  test('until an instant that has passed are over at once, and until one that is none fail', () => {
    const plan = planOf(
      dag('w', {}, ({ task, wait, interval }) => {
        wait('passed', { until: '1970-01-01T00:10:00Z' });
        wait('to-come', { until: interval.end });
        wait('unclear', { until: task('when', () => 'tomorrow') });
      }),
    );
    const run = new Driven(plan);
    expect(run.states()).toMatchObject({ passed: 'success', 'to-come': 'waiting' });
    expect(run.untilMs('to-come')).toBe(Date.parse('2026-01-02T00:00:00Z'));
    expect(run.succeed('when', 'tomorrow').instance('unclear').failure).toMatchObject({
      type: 'WaitInstantInvalid',
    });
  });
});
