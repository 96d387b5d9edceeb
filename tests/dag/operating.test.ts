import { describe, expect, test } from 'vitest';
import { changeProblems } from '../../dag/change-problems.ts';
import { clearedBy } from '../../dag/clearing.ts';
import type { ClearRequest, OperatorChange } from '../../dag/reducer.ts';
import { Driven, dag, planOf } from './support.ts';

const one = (): number => 1;

const chain = planOf(
  dag('chain', { onFailure: 'hold' }, ({ task }) => {
    const a = task('a', one);
    const b = task('b', (value: number) => value + 1, a);
    task('c', (value: number) => value + 1, b);
  }),
);

const mapped = planOf(
  dag('mapped', { onFailure: 'hold' }, ({ task, map }) => {
    const list = task('list', () => [1, 2, 3]);
    const load = map('load', list, (item: number) => item * 10);
    task('sum', (all: readonly number[]) => all.length, load);
  }),
);

function clearing(request: Partial<ClearRequest> = {}): Extract<OperatorChange, { type: 'tasks_cleared' }> {
  const nothing = { tasks: [], downstream: false, upstream: false, onlyFailed: false };
  return { type: 'tasks_cleared', by: 'ann', ...nothing, ...request };
}

function marking(
  key: string,
  as: 'success' | 'failed',
  output: Extract<OperatorChange, { type: 'task_marked' }>['output'] = null,
): OperatorChange {
  return { type: 'task_marked', by: 'ann', key, as, output };
}

const keysOf = (run: Driven, request: Partial<ClearRequest>): readonly string[] =>
  clearedBy(run.plan, run.progress, clearing(request)).cleared.map(({ key }) => key);

const problemsOf = (run: Driven, change: OperatorChange): string =>
  changeProblems(run.plan, run.progress, change)
    .map(({ place, message }) => `${place}: ${message}`)
    .join('\n');

describe('a run that is held', () => {
  const held = (): Driven => new Driven(chain).succeed('a', 1).fail('b');

  test('stays open when it would fail, and fails in a DAG that does not hold', () => {
    expect(held().progress).toMatchObject({ held: true, outcome: null });
    const { onFailure: _, ...plain } = chain;
    expect(new Driven(plain).succeed('a').fail('b').outcome).toBe('failed');
  });

  test('goes on from the failed task when that is cleared, and ends with success', () => {
    const run = held().tell(clearing());
    expect(run.states()).toEqual({ a: 'success', b: 'running', c: 'none' });
    expect(run.commands).toMatchObject([{ type: 'start_attempt', key: 'b', attempt: 2, input: 1 }]);
    expect(run.progress.held).toBeUndefined();
    expect(run.succeed('b', 5).succeed('c', 6).outcome).toBe('success');
    expect(run.instance('c').attempt).toBe(1);
  });

  test('is held again when the task fails again', () => {
    expect(held().tell(clearing()).fail('b').progress).toMatchObject({ held: true, outcome: null });
  });

  test('goes on below a task that is marked as success, with the output it is given', () => {
    const run = held().tell(marking('b', 'success', 41));
    expect(run.commands).toMatchObject([{ type: 'start_attempt', key: 'c', input: 41 }]);
    expect(run.succeed('c').outcome).toBe('success');
  });

  test('ends cancelled when it is cancelled', () => {
    const run = held().tell({ type: 'cancel_requested' });
    expect(run.outcome).toBe('cancelled');
    expect(run.progress.held).toBeUndefined();
  });
});

describe('clearing', () => {
  test('starts the retry budget over and goes on with the numbers of attempts', () => {
    const run = new Driven(
      planOf(
        dag('retries', { onFailure: 'hold' }, ({ task }) => {
          task('only', one, undefined, { retries: 1 });
        }),
      ),
    );
    run.fail('only', { retryable: true }).wake('only').fail('only', { retryable: true });
    expect(run.progress.held).toBe(true);
    run.tell(clearing()).fail('only', { retryable: true });
    expect(run.instance('only')).toMatchObject({ state: 'up_for_retry', attempt: 3, failures: 1 });
  });

  test('a task that waits for its next attempt starts it at once', () => {
    const run = new Driven(chain).fail('a', { retryable: true }).tell(clearing({ tasks: ['a'] }));
    expect(run.commands).toMatchObject([
      { type: 'cancel_timer', key: 'a' },
      { type: 'start_attempt', key: 'a', attempt: 2 },
    ]);
  });

  test('takes what is downstream, upstream or only what failed, as asked', () => {
    const run = new Driven(chain).succeed('a').fail('b');
    expect(keysOf(run, {})).toEqual(['b', 'c']);
    expect(keysOf(run, { tasks: ['a'] })).toEqual(['a', 'b', 'c']);
    expect(keysOf(run, { tasks: ['b'], upstream: true })).toEqual(['a', 'b', 'c']);
    expect(keysOf(run, { tasks: ['a'], downstream: true, onlyFailed: true })).toEqual(['b', 'c']);
  });

  test('a success is left alone unless it is asked for', () => {
    const run = new Driven(mapped).succeed('list', [1, 2, 3]);
    run.succeed('load[0]').succeed('load[1]').succeed('load[2]').fail('sum');
    expect(keysOf(run, { tasks: ['list'] })).toEqual(['list', 'sum']);
    expect(keysOf(run, { tasks: ['list'], downstream: true })).toEqual(['list', 'load', 'sum']);
  });

  test('what is wrong with a request is told, all of it, and it does nothing', () => {
    const run = new Driven(chain).succeed('a');
    const change = clearing({ tasks: ['nobody', 'b', 'c', 'a[1]'] });
    expect(problemsOf(run, change).split('\n')).toEqual([
      'task nobody: expected one of a, b, c; found nobody. `ingot runs show` lists them.',
      'task b: expected a task that has ended or waits for a retry; found running. Wait until it has ended, or mark it failed first.',
      'task c: expected a task that has ended or waits for a retry; found none. It has not begun; the run comes to it by itself.',
      'task a[1]: expected a, which has no mapped instances; found a[1]. Name the task, or one of its instances.',
    ]);
    const before = run.progress.instances;
    expect(run.tell(change).progress.instances).toEqual(before);
    expect(problemsOf(run, clearing())).toContain('found nothing that failed');
  });

  test('a task that ran because of a failure is decided again with it', () => {
    const plan = planOf(
      dag('alarm', { onFailure: 'hold' }, ({ task }) => {
        const work = task('work', one);
        task('repair', one, undefined, { triggerRule: 'one_failed', handlesFailure: true }).after(work);
        task('sweep', one, undefined, { triggerRule: 'all_done' }).after(work);
        task('other', one);
      }),
    );
    const run = new Driven(plan).fail('work').succeed('repair').succeed('sweep').fail('other');
    expect(clearedBy(plan, run.progress, clearing()).cleared).toEqual([
      { key: 'other', state: 'failed', why: 'asked' },
      { key: 'repair', state: 'success', why: 'reacted' },
      { key: 'work', state: 'failed', why: 'asked' },
    ]);
    run.tell(clearing()).succeed('other').fail('work');
    expect(run.started()).toEqual(['repair']);
  });

  test('what a branch that stays decided did not choose is skipped again', () => {
    const plan = planOf(
      dag('choice', { onFailure: 'hold' }, ({ task, branch }) => {
        const choose = branch('choose', ['left', 'right'], () => 'left' as const);
        const other = task('other', one);
        task('left', one).after(choose);
        task('right', one).after(choose, other);
      }),
    );
    const run = new Driven(plan).succeed('choose', 'left').succeed('left').fail('other');
    expect(run.state('right')).toBe('skipped');
    run.tell(clearing());
    expect(run.state('right')).toBe('skipped');
    expect(run.succeed('other').outcome).toBe('success');
  });
});

describe('a mapped task', () => {
  const failed = (): Driven =>
    new Driven(mapped)
      .succeed('list', [1, 2, 3])
      .succeed('load[0]', 10)
      .fail('load[1]')
      .succeed('load[2]', 30);

  test('runs only the instances again that failed', () => {
    const run = failed().tell(clearing());
    expect(run.started()).toEqual(['load[1]']);
    expect(run.commands).toMatchObject([{ input: 2, attempt: 2 }]);
    expect(run.states()).toMatchObject({ load: 'running', 'load[0]': 'success', sum: 'none' });
    run.succeed('load[1]', 20);
    expect(run.commands).toMatchObject([{ key: 'sum', input: [10, 20, 30] }]);
  });

  test('can be cleared in one of its instances, also of one that succeeded', () => {
    const run = failed().tell(clearing({ tasks: ['load[2]'] }));
    expect(run.started()).toEqual(['load[2]']);
    expect(run.succeed('load[2]', 31).progress.held).toBe(true);
    expect(run.state('load')).toBe('failed');
  });

  test('is mapped anew when its list is made again, and epochs never come twice', () => {
    const run = failed().tell(clearing({ tasks: ['list'], downstream: true }));
    expect(run.states()).toMatchObject({ list: 'running', load: 'none', 'load[2]': 'none', sum: 'none' });
    run.succeed('list', [7]);
    expect(run.progress.instances['load[1]']).toBeUndefined();
    expect(run.commands).toMatchObject([{ key: 'load[0]', attempt: 2, input: 7 }]);
    run.succeed('load[0]', 70).succeed('sum');
    expect(run.outcome).toBe('success');
  });

  test('an instance cannot start over beside its list: the whole of it does', () => {
    expect(keysOf(failed(), { tasks: ['list', 'load[0]'] })).toEqual(['list', 'load', 'sum']);
  });

  test('is marked in all its instances', () => {
    const run = failed().tell(marking('load', 'success'));
    expect(run.commands).toMatchObject([{ key: 'sum', input: [10, null, 30] }]);
    const running = new Driven(mapped).succeed('list', [1, 2]).tell(marking('load', 'failed'));
    expect(running.commands).toEqual([
      { type: 'cancel_attempt', key: 'load[0]', attempt: 1 },
      { type: 'cancel_attempt', key: 'load[1]', attempt: 1 },
    ]);
    expect(running.progress.held).toBe(true);
  });
});

describe('marking', () => {
  test('failed stops a running attempt, and what it still says is not heard', () => {
    const run = new Driven(chain).tell(marking('a', 'failed'));
    expect(run.commands).toEqual([{ type: 'cancel_attempt', key: 'a', attempt: 1 }]);
    expect(run.states()).toEqual({ a: 'failed', b: 'upstream_failed', c: 'upstream_failed' });
    expect(run.instance('a').failure?.message).toBe('Marked failed by ann.');
    const before = run.progress.instances;
    run.tell({ type: 'attempt_succeeded', key: 'a', attempt: 1, output: 1 });
    expect(run.progress.instances).toEqual(before);
  });

  test('failed turns a success around, and leaves what succeeded below', () => {
    const run = new Driven(chain).succeed('a').succeed('b').tell(marking('a', 'failed'));
    expect(run.states()).toEqual({ a: 'failed', b: 'success', c: 'running' });
  });

  test('success ends a retry that waits', () => {
    const run = new Driven(chain).fail('a', { retryable: true }).tell(marking('a', 'success', 1));
    expect(run.commands).toMatchObject([
      { type: 'cancel_timer', key: 'a' },
      { type: 'start_attempt', key: 'b' },
    ]);
  });

  test('a branch and a short circuit have to be told their output', () => {
    const plan = planOf(
      dag('gates', { onFailure: 'hold' }, ({ task, branch, shortCircuit }) => {
        task('left', one).after(branch('choose', ['left'], () => 'left' as const));
        task('below', one).after(shortCircuit('gate', () => true));
      }),
    );
    const run = new Driven(plan).fail('choose').fail('gate');
    expect(problemsOf(run, marking('choose', 'success'))).toContain('the branches to follow, of left');
    expect(problemsOf(run, marking('gate', 'success'))).toContain('true or false');
    run.tell(marking('choose', 'success', 'left')).tell(marking('gate', 'success', false));
    expect(run.states()).toMatchObject({ left: 'running', below: 'skipped' });
  });

  test('what is as asked already, and what nobody knows, is refused', () => {
    const run = new Driven(chain).succeed('a');
    expect(problemsOf(run, marking('a', 'success'))).toContain('expected a task that is not success');
    expect(problemsOf(run, marking('z', 'failed'))).toContain('expected one of a, b, c');
    run.tell({ type: 'cancel_requested' });
    expect(problemsOf(run, marking('b', 'failed'))).toContain('one that is being cancelled');
  });
});

describe('an approval', () => {
  const plan = planOf(
    dag('release', {}, ({ task, approval }) => {
      const build = task('build', one);
      const go = approval('go', { message: 'Release it?', timeout: '1h', onReject: 'skip' }).after(build);
      task('ship', (said: { approvedBy: string }) => said.approvedBy, go);
    }),
  );
  const waiting = (): Driven => new Driven(plan).succeed('build');
  const answer = (key: string, given: 'approved' | 'rejected'): OperatorChange => ({
    type: 'approval_answered',
    by: 'ann',
    key,
    answer: given,
    note: 'looks good',
  });

  test('waits for a person, and its output says who approved', () => {
    const run = waiting();
    expect(run.instance('go').waitingFor).toEqual({ reason: 'approval', untilMs: run.at + 3_600_000 });
    run.tell(answer('go', 'approved'));
    expect(run.instance('go').output).toMatchObject({ approvedBy: 'ann', note: 'looks good' });
    expect(run.commands).toMatchObject([
      { type: 'cancel_timer', key: 'go' },
      { type: 'start_attempt', key: 'ship' },
    ]);
  });

  test('fails or skips when it is rejected or nobody answers, as declared', () => {
    expect(waiting().tell(answer('go', 'rejected')).states()).toMatchObject({
      go: 'skipped',
      ship: 'skipped',
    });
    const late = waiting().wake('go');
    expect(late.outcome).toBe('failed');
    expect(late.instance('go').failure?.type).toBe('ApprovalTimeout');
  });

  test('is the only thing that can be answered, and only while it waits', () => {
    expect(problemsOf(waiting(), answer('build', 'approved'))).toContain(
      'expected an approval; found a task',
    );
    expect(problemsOf(new Driven(plan), answer('go', 'approved'))).toContain('found none');
  });

  test('is skipped by a cancellation', () => {
    expect(waiting().tell({ type: 'cancel_requested' }).states()).toMatchObject({
      go: 'skipped',
      ship: 'none',
    });
  });
});
