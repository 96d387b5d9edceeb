import { describe, expect, test } from 'vitest';
import { packProgress, unpackProgress } from '../../dag/carried.ts';
import { changeProblems } from '../../dag/change-problems.ts';
import { clearedBy } from '../../dag/clearing.ts';
import type { OperatorChange } from '../../dag/reducer.ts';
import { resumeRun } from '../../dag/resume.ts';
import { Driven, dag, facts, planOf } from './support.ts';

const nothing = (): null => null;
const once = { defaults: { retries: 0 } };
const numbers = (length: number): number[] => Array.from({ length }, (_, n) => n);

function clearing(tasks: readonly string[]): Extract<OperatorChange, { type: 'tasks_cleared' }> {
  return { type: 'tasks_cleared', by: 'ann', tasks, downstream: false, upstream: false, onlyFailed: false };
}

/** The run in another execution, as it is carried there. */
function continued(run: Driven): Driven {
  run.tell({ type: 'drain_requested' });
  expect(run.commands.at(-1)).toEqual({ type: 'continue_as_new' });
  run.progress = unpackProgress(packProgress(run.progress));
  return run.tell({ type: 'run_continued' });
}

describe('pools beside the slots of a run', () => {
  const pool = { pool: 'p' };
  const plan = planOf(
    dag('pooled', { maxActiveTasks: 2 }, ({ map }) => {
      map('each', numbers(5), (n: number) => n, undefined, pool);
    }),
  );
  const grant = (run: Driven, ...keys: readonly string[]): Driven =>
    run.tell({ type: 'pools_answered', answers: keys.map((key) => ({ key, type: 'granted' })) });

  test('no more elements of a map ask than may run', () => {
    const run = new Driven(plan);
    expect(run.commands.map((command) => [command.type, 'key' in command ? command.key : null])).toEqual([
      ['ask_pool', 'each[0]'],
      ['ask_pool', 'each[1]'],
    ]);
    grant(run, 'each[0]', 'each[1]').succeed('each[0]');
    expect(run.commands).toMatchObject([
      { type: 'release_pool', key: 'each[0]' },
      { type: 'ask_pool', key: 'each[2]' },
    ]);
  });

  test('what was granted while the run drains keeps its slots, and begins in the next execution', () => {
    const run = grant(new Driven(plan), 'each[0]').tell({ type: 'drain_requested' });
    grant(run, 'each[1]');
    expect(run.state('each[1]')).toBe('scheduled');
    run.succeed('each[0]');
    expect(run.commands).toEqual([{ type: 'release_pool', key: 'each[0]' }, { type: 'continue_as_new' }]);
    run.progress = unpackProgress(packProgress(run.progress));
    run.tell({ type: 'run_continued' });
    expect(run.commands).toMatchObject([
      { type: 'start_attempt', key: 'each[1]', attempt: 1 },
      { type: 'ask_pool', key: 'each[2]' },
    ]);
  });

  test('a cancelled run gives back what was granted and had no slot', () => {
    const run = new Driven(plan).tell({ type: 'drain_requested' });
    grant(run, 'each[0]').tell({ type: 'cancel_requested' });
    expect(run.commands.filter(({ type }) => type === 'release_pool')).toHaveLength(2);
    expect(run.outcome).toBe('cancelled');
  });
});

test('in another execution each wait asks for what ends it', () => {
  const plan = planOf(
    dag(
      'waits',
      { schedule: '@daily', startDate: '2026-01-01', dependsOnPast: true },
      ({ task, approval }) => {
        approval('open', { message: 'Go on?' });
        task('slots', nothing, undefined, { pool: 'p' });
      },
    ),
  );
  const previous = {
    dagId: 'waits',
    workflowId: 'before',
    interval: facts.interval,
    runId: 'r',
    state: 'success',
  } as const;
  const run = continued(new Driven(plan));
  expect(run.commands).toEqual([{ type: 'look_at_past' }]);
  continued(run.tell({ type: 'past_seen', settled: 'all', previous, tasks: {} }));
  expect(run.commands).toMatchObject([{ type: 'ask_pool', key: 'slots' }]);
  expect(run.states()).toEqual({ open: 'waiting', slots: 'waiting' });
});

test('a held run stays held in another execution, and can be cleared there', () => {
  const plan = planOf(dag('held', { ...once, onFailure: 'hold' }, ({ task }) => void task('a', nothing)));
  const run = continued(new Driven(plan).fail('a'));
  expect(run.progress).toMatchObject({ held: true, outcome: null });
  expect(run.tell(clearing([])).succeed('a').outcome).toBe('success');
});

describe('a map whose instances are made as they begin', () => {
  const plan = planOf(
    dag('made', { ...once, maxActiveTasks: 2, onFailure: 'hold' }, ({ map }) => {
      map('each', numbers(5), (n: number) => n);
    }),
  );

  test('is marked in all of them, also those that are still to be made', () => {
    const run = new Driven(plan).tell({
      type: 'task_marked',
      by: 'ann',
      key: 'each',
      as: 'success',
      output: 7,
    });
    expect(run.states()).toMatchObject({ each: 'success', 'each[0]': 'success', 'each[4]': 'success' });
    expect(run.outcome).toBe('success');
  });

  test('is made as a whole when it is cleared as a whole', () => {
    const run = new Driven(plan);
    for (const n of numbers(5)) run.succeed(`each[${n}]`, n);
    expect(run.outcome).toBe('success');
    const again = new Driven(plan);
    for (const n of numbers(4)) again.succeed(`each[${n}]`, n);
    again.fail('each[4]').tell(clearing(['each']));
    expect(again.started()).toEqual(['each[0]', 'each[1]']);
    expect(again.instance('each[0]').attempt).toBe(2);
  });

  test('that was cut short by cancelling goes on where the run is carried on, and loses none', () => {
    const run = new Driven(plan).succeed('each[0]').tell({ type: 'cancel_requested' });
    run.fail('each[1]').succeed('each[2]');
    expect(run.outcome).toBe('cancelled');
    expect(run.state('each')).toBe('skipped');
    const earlier = { outcome: 'cancelled', instances: Object.values(run.progress.instances) } as const;
    run.progress = resumeRun(plan, facts, earlier);
    run.tell({ type: 'run_resumed', change: clearing([]) });
    expect(run.started()).toEqual(['each[1]', 'each[3]']);
    run.succeed('each[1]').succeed('each[3]').succeed('each[4]');
    expect(run.outcome).toBe('success');
  });
});

describe('work that is cleared', () => {
  const plan = planOf(
    dag('cluster', { ...once, onFailure: 'hold' }, ({ setup, task, teardown }) => {
      const cluster = setup('create', nothing);
      const load = task('load', nothing).after(cluster);
      teardown('delete', nothing).after(load, cluster);
    }),
  );

  test('has its setup and teardown once more when they have cleared away', () => {
    const run = new Driven(plan).succeed('create').fail('load').succeed('delete');
    expect(clearedBy(plan, run.progress, clearing(['load'])).cleared.map(({ key }) => key)).toEqual([
      'create',
      'delete',
      'load',
    ]);
    expect(run.tell(clearing(['load'])).states()).toEqual({
      create: 'running',
      load: 'none',
      delete: 'none',
    });
    expect(run.succeed('create').succeed('load').succeed('delete').outcome).toBe('success');
  });

  test('waits until they have', () => {
    const run = new Driven(plan).succeed('create').fail('load');
    expect(run.state('delete')).toBe('running');
    expect(changeProblems(plan, run.progress, clearing(['load']))).toMatchObject([{ place: 'task delete' }]);
  });

  test('has them as well in a run that carries on from a cancelled one', () => {
    const run = new Driven(plan).succeed('create').tell({ type: 'cancel_requested' });
    run.tell({
      type: 'attempt_failed',
      key: 'load',
      attempt: 1,
      failure: { type: 'Cancelled', message: 'cancelled', retryable: false },
    });
    run.succeed('delete');
    expect(run.outcome).toBe('cancelled');
    const earlier = { outcome: 'cancelled', instances: Object.values(run.progress.instances) } as const;
    run.progress = resumeRun(plan, facts, earlier);
    run.tell({ type: 'run_resumed', change: clearing(['load']) });
    expect(run.states()).toEqual({ create: 'running', load: 'none', delete: 'none' });
  });
});
