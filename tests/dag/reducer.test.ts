import { describe, expect, test } from 'vitest';
import type { TriggerRule } from '../../dag/plan.ts';
import { advance, startRun, taskOutput } from '../../dag/reducer.ts';
import { Driven, dag, facts, planOf } from './support.ts';

const nothing = () => null;
const chain = planOf(
  dag('chain', { defaults: { retries: 0 } }, ({ task }) => {
    const a = task('a', () => ({ n: 1, list: [1, 2] }));
    const b = task('b', (input: { n: number }) => input, { n: a.output.n });
    task('c', nothing).after(b);
  }),
);

test('a chain runs one task after the other, each with its input, and finishes once', () => {
  const run = new Driven(chain);
  expect(run.commands).toEqual([{ type: 'start_attempt', key: 'a', taskId: 'a', mapIndex: null, attempt: 1, input: null, lease: false }]);
  run.succeed('a', { n: 7, list: [] });
  expect(run.commands).toMatchObject([{ type: 'start_attempt', key: 'b', input: { n: 7 } }]);
  run.succeed('b').succeed('c');
  expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'success', failures: [] }]);
  expect(run.tell({ type: 'run_started' }).commands).toEqual([]);
  expect(run.succeed('c').commands).toEqual([]);
});

test('a step says which instances changed', () => {
  const run = new Driven(chain);
  expect(run.changed.map(({ key, state }) => [key, state])).toEqual([['a', 'running']]);
  run.fail('a');
  expect(run.changed.map(({ key, state }) => [key, state])).toEqual([
    ['a', 'failed'],
    ['b', 'upstream_failed'],
    ['c', 'upstream_failed'],
  ]);
});

test('advance leaves the progress it was given untouched, and gives the same answer again', () => {
  const before = startRun(chain, facts);
  const copy = structuredClone(before);
  const first = advance(chain, before, { type: 'run_started', at: 5 });
  expect(before).toEqual(copy);
  expect(advance(chain, before, { type: 'run_started', at: 5 })).toEqual(first);
});

test('progress carried through JSON goes on as if nothing had happened', () => {
  const run = new Driven(chain).succeed('a', { n: 1, list: [] });
  run.progress = JSON.parse(JSON.stringify(run.progress)) as typeof run.progress;
  run.succeed('b').succeed('c');
  expect(run.outcome).toBe('success');
});

test('commands come in the order of their keys, indexes as numbers', () => {
  const plan = planOf(dag('wide', {}, ({ map, task }) => void [task('z', nothing), map('m', Array.from({ length: 12 }, (_, n) => n), (n: number) => n)]));
  expect(new Driven(plan).started()).toEqual([...Array.from({ length: 12 }, (_, n) => `m[${n}]`), 'z']);
});

describe('references', () => {
  const plan = planOf(
    dag('refs', { params: { days: { type: 'integer', default: 3 } } }, ({ task, interval, params, run }) => {
      const a = task('a', (): { deep: { list: { k: string }[] }; maybe?: string } => ({ deep: { list: [] } }));
      task('b', (_input: { k: string; at: string; days: number; id: string; maybe?: string; all: (string | undefined)[] }) => null, {
        k: a.output.deep.list[1]!.k,
        at: interval.logicalDate,
        days: params.days,
        id: run.id,
        maybe: a.output.maybe as never,
        all: [a.output.maybe],
      });
    }),
  );

  test('resolve to what they name; an absent optional field leaves its key out and is null in a list', () => {
    const run = new Driven(plan, { ...facts, params: { days: 9 } });
    run.succeed('a', { deep: { list: [{ k: 'x' }, { k: 'y' }] } });
    expect(run.commands).toMatchObject([{ input: { k: 'y', at: facts.interval.start, days: 9, id: 'r1', all: [null] } }]);
    expect(Object.keys((run.commands[0] as { input: object }).input)).not.toContain('maybe');
  });

  test('to a task that did not succeed are null', () => {
    const lenient = planOf(
      dag('lenient', { defaults: { retries: 0 } }, ({ task }) => {
        const a = task('a', () => ({ n: 1 }));
        task('b', (_input: { n: number | null; a: { n: number } | null }) => null, { n: a.output.n, a }, { triggerRule: 'all_done' });
      }),
    );
    expect(new Driven(lenient).fail('a').commands).toMatchObject([{ key: 'b', input: { n: null, a: null } }]);
  });

  test('do not reach what JavaScript adds to objects', () => {
    const sly = planOf(
      dag('sly', {}, ({ task }) => {
        const a = task('constructor', () => ({ n: 1 }));
        task('b', (_input: Record<string, unknown>) => null, { x: (a.output as never as { toString: string }).toString, y: (a.output as never)['constructor'] });
      }),
    );
    expect(new Driven(sly).succeed('constructor', { n: 1 }).commands).toMatchObject([{ key: 'b', input: {} }]);
  });
});

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
      expect(run.instance('a')).toMatchObject({ state: 'up_for_retry', failures: n + 1, waitingFor: { reason: 'retry' } });
      expect(run.commands).toEqual([{ type: 'start_timer', key: 'a', untilMs: run.instance('a').waitingFor!.untilMs }]);
      waits.push(run.instance('a').waitingFor!.untilMs - run.at);
      expect(run.wake('a').commands).toMatchObject([{ type: 'start_attempt', attempt: n + 2 }]);
    }
    expect(waits).toEqual([10_000, 30_000, 60_000]);
    run.fail('a', { retryable: true, message: 'the last' });
    expect(run.instance('a')).toMatchObject({ state: 'failed', failures: 4, attempt: 4, failure: { message: 'the last' } });
    expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'failed', failures: ['a'] }]);
  });

  test('do not happen for a failure that retrying cannot help', () => {
    expect(new Driven(plan).fail('a', { retryable: false }).state('a')).toBe('failed');
  });

  test('follow the first rule for the type of the error, whatever the error says of itself', () => {
    const run = new Driven(plan).fail('a', { type: 'Throttled', retryable: false });
    expect(run.instance('a').waitingFor!.untilMs - run.at).toBe(120_000);
    expect(new Driven(plan).fail('a', { type: 'Schema', retryable: true }).state('a')).toBe('failed');
  });

  test('a later success forgets the failure but not the number of attempts', () => {
    const run = new Driven(plan).fail('a', { retryable: true }).wake('a').succeed('a', 5);
    expect(run.instance('a')).toMatchObject({ state: 'success', attempt: 2, failures: 1, failure: null, output: 5 });
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
  const run = new Driven(planOf(dag('c', {}, ({ task }) => void task('a', nothing, undefined, { retries: 0 }))));
  const leases: boolean[] = [];
  for (let n = 1; n <= 4; n += 1) {
    run.tell({ type: 'snapshot_conflicted', key: 'a', attempt: n });
    expect(run.instance('a')).toMatchObject({ state: 'waiting', waitingFor: { reason: 'snapshot_conflict' }, conflicts: n, failures: 0 });
    expect(run.instance('a').waitingFor!.untilMs - run.at).toBeLessThanOrEqual(1_000);
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
  expect(run.instance('a')).toMatchObject({ state: 'failed', conflicts: 21, failure: { type: 'SnapshotConflict' } });
});

test('a task that no worker knows waits 10 s, then longer, up to 60 s, at the same attempt and without using the budget', () => {
  const run = new Driven(planOf(dag('u', {}, ({ task }) => void task('a', nothing, undefined, { retries: 0 }))));
  const gaps: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    run.tell({ type: 'task_unknown', key: 'a', attempt: 1 });
    expect(run.instance('a')).toMatchObject({ state: 'waiting', waitingFor: { reason: 'no_worker_knows_task' }, attempt: 1, failures: 0 });
    gaps.push(run.instance('a').waitingFor!.untilMs - run.at);
    expect(run.wake('a').commands).toMatchObject([{ type: 'start_attempt', attempt: 1 }]);
  }
  expect(gaps).toEqual([10_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(run.succeed('a').outcome).toBe('success');
});

describe('branches', () => {
  const plan = planOf(
    dag('branches', { defaults: { retries: 0 } }, ({ task, branch, group }) => {
      const choose = branch('choose', ['left', 'right', 'side'], () => 'left' as const);
      const left = task('left', nothing).after(choose);
      const right = task('right', nothing).after(choose);
      const side = group('side', () => task('x', nothing)).after(choose);
      task('after-left', nothing).after(left);
      task('join', nothing, undefined, { triggerRule: 'none_failed_min_one_success' }).after(left, right, side);
      task('also-direct', nothing, undefined, { triggerRule: 'none_failed' }).after(choose, left);
    }),
  );

  test('follow what they chose, skip the rest and what depends on it; a join and what the choice leads to still run', () => {
    const run = new Driven(plan).succeed('choose', 'left');
    expect(run.states()).toMatchObject({ left: 'running', right: 'skipped', 'side.x': 'skipped', 'also-direct': 'none' });
    run.succeed('left').succeed('after-left').succeed('join').succeed('also-direct');
    expect(run.outcome).toBe('success');
  });

  test('can choose several, a whole group, or nothing', () => {
    expect(new Driven(plan).succeed('choose', ['right', 'side']).states()).toMatchObject({ left: 'skipped', right: 'running', 'side.x': 'running', 'after-left': 'skipped', 'also-direct': 'skipped' });
    const none = new Driven(plan).succeed('choose', null);
    expect(none.states()).toMatchObject({ left: 'skipped', right: 'skipped', join: 'skipped' });
    expect(none.outcome).toBe('success');
  });

  test('fail when they name something that is not directly downstream', () => {
    const run = new Driven(plan).succeed('choose', ['left', 'after-left']);
    expect(run.instance('choose')).toMatchObject({ state: 'failed', failure: { type: 'BranchChoiceInvalid', message: expect.stringContaining('"after-left"') as string } });
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

describe('maps', () => {
  const plan = planOf(
    dag('maps', { defaults: { retries: 0 } }, ({ task, map }) => {
      const list = task('list', () => ({ files: [{ key: 'a' }] }));
      const each = map('each', list.output.files, (input: { name: string }) => input.name.length, (file) => ({ name: file.key }), { retries: 1 });
      task('sum', (_input: { all: number[] }) => null, { all: each });
      task('cleanup', nothing, undefined, { triggerRule: 'all_done' }).after(each);
    }),
  );

  test('run one instance per element, and give their outputs in order', () => {
    const run = new Driven(plan).succeed('list', { files: [{ key: 'x' }, { key: 'y' }, { key: 'z' }] });
    expect(run.commands.map((command) => command.type === 'start_attempt' && [command.key, command.mapIndex, command.input])).toEqual([
      ['each[0]', 0, { name: 'x' }],
      ['each[1]', 1, { name: 'y' }],
      ['each[2]', 2, { name: 'z' }],
    ]);
    expect(run.state('each')).toBe('running');
    run.succeed('each[2]', 30).succeed('each[0]', 10);
    expect(run.started()).toEqual([]);
    run.succeed('each[1]', 20);
    expect(run.commands).toMatchObject([{ key: 'cleanup' }, { key: 'sum', input: { all: [10, 20, 30] } }]);
    expect(run.instance('each')).toMatchObject({ state: 'success', attempt: 0 });
    expect(taskOutput(plan, run.progress, 'each')).toEqual([10, 20, 30]);
  });

  test('over an empty list are skipped', () => {
    const run = new Driven(plan).succeed('list', { files: [] });
    expect(run.states()).toMatchObject({ each: 'skipped', sum: 'skipped', cleanup: 'running' });
  });

  test('retry an instance with its own element', () => {
    const run = new Driven(plan).succeed('list', { files: [{ key: 'x' }, { key: 'y' }] }).fail('each[1]', { retryable: true });
    expect(run.wake('each[1]').commands).toMatchObject([{ key: 'each[1]', attempt: 2, input: { name: 'y' } }]);
  });

  test('fail as a whole when an instance fails, after the others ended; the run names the instance', () => {
    const run = new Driven(plan).succeed('list', { files: [{ key: 'x' }, { key: 'y' }] }).fail('each[0]', { message: 'no such file' });
    expect(run.state('each')).toBe('running');
    run.succeed('each[1]', 2);
    expect(run.states()).toMatchObject({ each: 'failed', sum: 'upstream_failed', cleanup: 'running' });
    expect(run.instance('each').failure!.message).toBe('1 of 2 instances failed; each[0]: no such file');
    run.succeed('cleanup');
    expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'failed', failures: ['each[0]'] }]);
  });

  test('over something that is no list, or too long, fail with what was found', () => {
    const text = new Driven(plan).succeed('list', { files: 'abc' });
    expect(text.instance('each')).toMatchObject({ state: 'failed', failure: { type: 'MapListInvalid', message: 'expected a list to map over; found "abc". Return a list.' } });
    const long = new Driven(plan).succeed('list', { files: Array.from({ length: 1025 }, () => 0) });
    expect(long.instance('each').failure).toMatchObject({ type: 'MapListTooLong', message: expect.stringContaining('at most 1024') as string });
    expect(new Driven(plan).succeed('list', { files: Array.from({ length: 1024 }, () => 0) }).started()).toHaveLength(1024);
  });

  test('over the output of a task that was skipped are skipped, whatever their rule', () => {
    const lenient = planOf(
      dag('lenient', { defaults: { retries: 0 } }, ({ task, map, shortCircuit }) => {
        const skipped = map('skipped', [] as number[], (n: number) => n);
        map('each', skipped, (n: number) => n, (n) => n, { triggerRule: 'none_failed' });
        void shortCircuit;
        void task;
      }),
    );
    expect(new Driven(lenient).states()).toEqual({ skipped: 'skipped', each: 'skipped' });
  });

  test('can be mapped over, and over the elements of a constant list', () => {
    const twice = planOf(
      dag('twice', {}, ({ map }) => {
        const first = map('first', ['a', 'b'], (name: string) => ({ name }));
        map('second', first, (input: { name: string; fixed: number }) => input, (item) => ({ name: item.name, fixed: 1 }));
      }),
    );
    const run = new Driven(twice).succeed('first[0]', { name: 'A' }).succeed('first[1]', { name: 'B' });
    expect(run.commands).toMatchObject([{ key: 'second[0]', input: { name: 'A', fixed: 1 } }, { key: 'second[1]', input: { name: 'B', fixed: 1 } }]);
  });
});

describe('sensors', () => {
  const plan = (softFail = false) =>
    planOf(
      dag('sensors', {}, ({ task, sensor }) => {
        const arrived = sensor('arrived', () => ({ done: true as boolean, value: { key: 'k' } }), undefined, { timeout: '1m', pokeEvery: '25s', softFail, retries: { limit: 1, initial: '5s' } });
        task('use', (_input: { key: string }) => null, { key: arrived.output.key });
      }),
    );

  test('are poked until done, within one attempt, and give their value', () => {
    const run = new Driven(plan()).later(100).succeed('arrived', { done: false });
    expect(run.instance('arrived')).toMatchObject({ state: 'waiting', waitingFor: { reason: 'sensor', untilMs: run.at + 25_000 } });
    expect(run.wake('arrived').commands).toMatchObject([{ type: 'start_attempt', key: 'arrived', attempt: 1 }]);
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
    expect(run.instance('arrived')).toMatchObject({ state: 'failed', attempt: 1, failure: { type: 'SensorTimeout', message: expect.stringContaining('within 1m') as string } });
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
    expect(late.instance('arrived').failure).toMatchObject({ type: 'SensorTimeout', message: expect.stringContaining('still down') as string });
  });

  test('fail when they do not answer whether they are done', () => {
    expect(new Driven(plan()).succeed('arrived', 'yes').instance('arrived').failure).toMatchObject({ type: 'SensorAnswerInvalid' });
  });
});

describe('waits', () => {
  test('for a length of time count from when they became ready', () => {
    const run = new Driven(planOf(dag('w', {}, ({ task, wait }) => void wait('pause', { for: '10m' }).after(task('a', nothing))))).later(500).succeed('a');
    expect(run.commands).toEqual([{ type: 'start_timer', key: 'pause', untilMs: run.at + 600_000 }]);
    expect(run.instance('pause')).toMatchObject({ state: 'waiting', waitingFor: { reason: 'timer' } });
    expect(run.wake('pause').outcome).toBe('success');
  });

  test('until an instant that has passed are over at once, and until one that is none fail', () => {
    const plan = planOf(dag('w', {}, ({ task, wait, interval }) => {
      wait('passed', { until: '1970-01-01T00:10:00Z' });
      wait('to-come', { until: interval.end });
      wait('unclear', { until: task('when', () => 'tomorrow') });
    }));
    const run = new Driven(plan);
    expect(run.states()).toMatchObject({ passed: 'success', 'to-come': 'waiting' });
    expect(run.instance('to-come').waitingFor!.untilMs).toBe(Date.parse('2026-01-02T00:00:00Z'));
    expect(run.succeed('when', 'tomorrow').instance('unclear').failure).toMatchObject({ type: 'WaitInstantInvalid' });
  });
});

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
    expect(run.states()).toEqual({ a: 'running', b: 'none', arrived: 'skipped', pause: 'skipped', retrying: 'failed', each: 'running', 'each[0]': 'running', 'each[1]': 'running' });
    run.succeed('a').fail('each[0]', { retryable: true });
    expect(run.commands).toEqual([]);
    expect(run.state('b')).toBe('none');
    run.tell({ type: 'task_unknown', key: 'each[1]', attempt: 1 });
    expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'cancelled', failures: ['each[0]', 'retrying'] }]);
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
        task('reaction', nothing, undefined, { triggerRule: rule, ...(handlesFailure ? { handlesFailure } : {}) }).after(a);
      }),
    );
    const run = new Driven(plan).fail('a');
    return run.succeed('reaction').outcome!;
  };

  test.each(['all_done', 'one_failed', 'all_failed', 'one_done', 'none_skipped'] as const)('stays failed when a leaf with %s succeeded', (rule) => {
    expect(outcome(rule, false)).toBe('failed');
  });

  test.each(['one_failed', 'all_failed'] as const)('is success when a task with %s that is declared to handle the failure succeeded', (rule) => {
    expect(outcome(rule, true)).toBe('success');
  });

  const fallback = planOf(
    dag('f', { defaults: { retries: 0 } }, ({ task }) => {
      const a = task('a', nothing);
      const b = task('b', nothing).after(a);
      const other = task('other', nothing);
      task('fallback', nothing, undefined, { triggerRule: 'one_failed', handlesFailure: true }).after(b, other);
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
