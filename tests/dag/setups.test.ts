import { describe, expect, test } from 'vitest';
import { Driven, dag, planOf, problemsOf } from './support.ts';

const nothing = (): null => null;
const once = { defaults: { retries: 0 } };

describe('a teardown', () => {
  const plan = planOf(
    dag('cluster', once, ({ setup, task, teardown }) => {
      const cluster = setup('create', () => 'c1');
      const load = task('load', (_input: { cluster: string }) => null, { cluster });
      const check = task('check', nothing, undefined, { triggerRule: 'all_done' }).after(load);
      teardown('delete', (_input: { cluster: string }) => null, { cluster }, { retries: 1 }).after(check);
    }),
  );

  test('runs after its setup even if the work between failed, which fails the run', () => {
    const run = new Driven(plan).succeed('create', 'c1').fail('load').succeed('check');
    expect(run.commands).toMatchObject([{ key: 'delete', input: { cluster: 'c1' } }]);
    expect(run.succeed('delete').commands).toEqual([
      { type: 'finish_run', outcome: 'failed', failures: ['load'] },
    ]);
  });

  test('that fails leaves the run as it was', () => {
    const run = new Driven(plan).succeed('create', 'c1').succeed('load').succeed('check').fail('delete');
    expect(run.outcome).toBe('success');
  });

  test('fails the run where it is declared to', () => {
    const strict = planOf(
      dag('strict', once, ({ setup, teardown }) => {
        const cluster = setup('create', nothing);
        teardown('delete', nothing, undefined, { onFailureFailRun: true }).after(cluster);
      }),
    );
    expect(new Driven(strict).succeed('create').fail('delete').outcome).toBe('failed');
  });

  test('does not run when its setup failed, and nothing between does, whatever its rule', () => {
    const run = new Driven(plan).fail('create');
    expect(run.states()).toEqual({
      create: 'failed',
      load: 'upstream_failed',
      check: 'upstream_failed',
      delete: 'upstream_failed',
    });
    expect(run.outcome).toBe('failed');
  });

  test('is not skipped by a short circuit between', () => {
    const short = planOf(
      dag('short', once, ({ setup, shortCircuit, task, teardown }) => {
        const cluster = setup('create', nothing);
        const anything = shortCircuit('anything', () => false).after(cluster);
        const load = task('load', nothing).after(anything);
        teardown('delete', nothing).after(load, cluster);
      }),
    );
    const run = new Driven(short).succeed('create').succeed('anything', false);
    expect(run.states()).toMatchObject({ load: 'skipped', delete: 'running' });
  });

  test('runs in a run that is cancelled, after what ran has ended, and is retried', () => {
    const run = new Driven(plan).succeed('create', 'c1').tell({ type: 'cancel_requested' });
    expect(run.commands).toEqual([]);
    run.fail('load', { type: 'Cancelled' });
    expect(run.started()).toEqual(['delete']);
    run.fail('delete', { retryable: true });
    expect(run.state('delete')).toBe('up_for_retry');
    expect(run.wake('delete').succeed('delete').outcome).toBe('cancelled');
    expect(run.state('check')).toBe('none');
  });

  test('does not run in a run that is cancelled before its setup succeeded', () => {
    const run = new Driven(plan).tell({ type: 'cancel_requested' });
    expect(run.fail('create', { type: 'Cancelled' }).outcome).toBe('cancelled');
    expect(run.state('delete')).toBe('none');
  });

  test('of a group is not waited for by what comes after the group', () => {
    const grouped = planOf(
      dag('grouped', once, ({ setup, task, teardown, group }) => {
        const work = group('work', () => {
          const cluster = setup('create', nothing);
          const load = task('load', nothing).after(cluster);
          teardown('delete', nothing).after(load, cluster);
        });
        task('report', nothing).after(work);
      }),
    );
    expect(grouped.tasks.find(({ id }) => id === 'report')!.upstream).toEqual(['work.load']);
    const run = new Driven(grouped).succeed('work.create').succeed('work.load');
    expect(run.started()).toEqual(['report', 'work.delete']);
  });

  test('needs a setup directly upstream', () => {
    const bare = dag('bare', {}, ({ task, teardown }) => {
      teardown('delete', nothing).after(task('load', nothing));
    });
    expect(problemsOf(bare)).toEqual([
      'dag bare, task delete: expected a teardown directly downstream of a setup; found none upstream. Pass the output of what setup(...) returned as its input, or add .after(setup).',
    ]);
  });
});

test('a setup without a teardown is needed by everything below it', () => {
  const plan = planOf(
    dag('needed', once, ({ setup, task }) => {
      const ready = setup('ready', nothing);
      const first = task('first', nothing, undefined, { triggerRule: 'all_done' }).after(ready);
      task('second', nothing, undefined, { triggerRule: 'all_done' }).after(first);
    }),
  );
  expect(new Driven(plan).fail('ready').states()).toMatchObject({
    first: 'upstream_failed',
    second: 'upstream_failed',
  });
});

test('what is above or beside the stretch between setup and teardown does not depend on the setup', () => {
  const plan = planOf(
    dag('beside', once, ({ setup, task, teardown }) => {
      const cluster = setup('create', nothing);
      const load = task('load', nothing).after(cluster);
      const gone = teardown('delete', nothing).after(load, cluster);
      task('report', nothing, undefined, { triggerRule: 'all_done' }).after(gone);
    }),
  );
  expect(new Driven(plan).fail('create').states()).toMatchObject({
    load: 'upstream_failed',
    report: 'running',
  });
});
