import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain } from '../../dag/explain.ts';
import { packProgress, unpackProgress } from '../../dag/carried.ts';
import { advance, OpenRun, startRun } from '../../dag/reducer.ts';
import type { RunEvent, RunProgress, TaskInstance, WaitReason } from '../../dag/reducer.ts';
import { naiveEnds, naiveOutcome } from './naive-model.ts';
import { randomRun } from './random-runs.ts';
import type { RandomRun } from './random-runs.ts';
import { Driven, dag, facts, planOf, problemsOf } from './support.ts';

const nothing = (): null => null;
const numbers = (length: number): number[] => Array.from({ length }, (_, n) => n);

describe('the slots of a run', () => {
  const plan = planOf(
    dag('slots', { maxActiveTasks: 2, defaults: { retries: 1 } }, ({ task, map }) => {
      const each = map('each', numbers(5), (n: number) => n);
      task('beside', nothing);
      task('sum', (_input: number[]) => null, each);
    }),
  );

  test('bound the attempts under way; a long map leaves room for what is beside it', () => {
    const run = new Driven(plan);
    expect(run.started()).toEqual(['beside', 'each[0]']);
    expect(run.states()).toEqual({ each: 'running', 'each[0]': 'running', beside: 'running', sum: 'none' });
    expect(run.succeed('beside').started()).toEqual(['each[1]']);
    expect(run.succeed('each[0]', 10).started()).toEqual(['each[2]']);
    run.succeed('each[1]', 11).succeed('each[2]', 12).succeed('each[3]', 13);
    expect(run.state('each')).toBe('running');
    expect(run.succeed('each[4]', 14).commands).toMatchObject([{ key: 'sum', input: [10, 11, 12, 13, 14] }]);
    expect(run.succeed('sum').outcome).toBe('success');
  });

  test('are waited for by a retry, which keeps its number', () => {
    const run = new Driven(plan).fail('beside', { retryable: true });
    expect(run.started()).toEqual(['each[1]']);
    run.wake('beside');
    expect(run.instance('beside')).toMatchObject({ state: 'scheduled', attempt: 2 });
    expect(explain(plan, run.progress, 'beside')).toEqual({ kind: 'waiting_for_slot', maxActiveTasks: 2 });
    run.succeed('each[0]');
    expect([...run.started(), ...run.succeed('each[1]').started()]).toContain('beside');
    expect(run.instance('beside')).toMatchObject({ state: 'running', attempt: 2 });
  });

  test('are not given once the run is cancelled; what had none is skipped', () => {
    const run = new Driven(plan).fail('beside', { retryable: true }).wake('beside');
    run.tell({ type: 'cancel_requested' });
    expect(run.state('beside')).toBe('failed');
    run.succeed('each[0]').succeed('each[1]');
    expect(run.state('each')).toBe('skipped');
    expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'cancelled', failures: ['beside'] }]);
  });

  test('are at most a thousand', () => {
    expect(problemsOf(dag('many', { maxActiveTasks: 1001 }, ({ task }) => void task('a', nothing)))).toEqual([
      'dag many: expected maxActiveTasks to be a whole number from 1 to 1000; found 1001. Correct the option.',
    ]);
  });
});

describe('a run that is to continue as new', () => {
  const plan = planOf(
    dag('long', { maxActiveTasks: 3 }, ({ task, sensor }) => {
      const first = task('first', nothing);
      task('second', nothing).after(first);
      task('slow', nothing, undefined, { retries: 1 });
      sensor('ready', () => ({ done: false }), undefined, { timeout: '1h' });
    }),
  );
  const draining = (): Driven => {
    const run = new Driven(plan).succeed('ready', { done: false });
    return run.tell({ type: 'drain_requested' });
  };

  test('begins nothing more, and says when nothing runs', () => {
    const run = draining();
    expect(run.succeed('first').commands).toEqual([]);
    expect(run.state('second')).toBe('scheduled');
    expect(run.wake('ready').commands).toEqual([]);
    expect(run.succeed('slow').commands).toEqual([{ type: 'continue_as_new' }]);
  });

  test('goes on where it was, with its timers', () => {
    const before = draining().succeed('first').fail('slow', { retryable: true });
    expect(before.commands.at(-1)).toEqual({ type: 'continue_as_new' });
    const carried = unpackProgress(packProgress(before.progress));
    const step = advance(plan, carried, { type: 'run_continued', at: before.at });
    expect(step.commands).toEqual([
      { type: 'start_timer', key: 'ready', untilMs: untilOf(carried, 'ready') },
      expect.objectContaining({ type: 'start_attempt', key: 'second', attempt: 1 }),
      { type: 'start_timer', key: 'slow', untilMs: untilOf(carried, 'slow') },
    ]);
    expect(step.progress).not.toHaveProperty('draining');
  });

  test('begins again what it held back when that takes too long', () => {
    expect(draining().succeed('first').tell({ type: 'drain_given_up' }).started()).toEqual(['second']);
  });

  test('ends in place of continuing when it is cancelled meanwhile', () => {
    const run = draining().succeed('first').tell({ type: 'cancel_requested' });
    expect(run.succeed('slow').commands).toMatchObject([{ type: 'finish_run', outcome: 'cancelled' }]);
  });
});

function untilOf({ instances }: RunProgress, key: string): number {
  const { waitingFor } = instances[key]!;
  return waitingFor !== null && 'untilMs' in waitingFor ? waitingFor.untilMs! : 0;
}

function whatIsAwaited(key: string, reason: WaitReason['reason'], at: number): RunEvent {
  if (reason === 'pool') return { type: 'pools_answered', answers: [{ key, type: 'granted' }], at };
  if (reason !== 'past') return { type: 'timer_fired', key, at };
  const { interval } = facts;
  const previous = {
    dagId: 'random',
    workflowId: 'before',
    interval,
    runId: 'r',
    state: 'success',
  } as const;
  return { type: 'past_seen', settled: 'all', previous, tasks: {}, at };
}

/** Tells events in the order of `choices` until the run is over; how an attempt ends is up to the script alone. */
function driveToEnd(
  { scripts, outputs }: RandomRun,
  choices: readonly number[],
  now: () => RunProgress,
  tell: (event: RunEvent) => void,
): void {
  const turns = new Map<string, number>();
  let at = 0;
  tell({ type: 'run_started', at });
  for (let n = 0; now().outcome === null; n += 1) {
    expect(n).toBeLessThan(2000);
    const open = Object.values(now().instances).filter((each) => isRunning(each) || each.waitingFor !== null);
    const { key, taskId, mapIndex, attempt, state, waitingFor } =
      open[choices[n % choices.length]! % open.length]!;
    if (state !== 'running') {
      at = Math.max(at, untilOf(now(), key));
      tell(whatIsAwaited(key, waitingFor!.reason, at));
      continue;
    }
    const nth = turns.get(key) ?? 0;
    turns.set(key, nth + 1);
    const turn = scripts.get(taskId)![mapIndex ?? 0]![nth]!;
    const failure = { type: 'Error', message: 'as scripted', retryable: turn === 'retryable' };
    const isSensor = scripts.get(taskId)![0]!.includes('poke');
    const output = outputs.get(taskId)!;
    if (turn === 'conflict') tell({ type: 'snapshot_conflicted', key, attempt, at });
    else if (turn === 'unknown') tell({ type: 'task_unknown', key, attempt, at });
    else if (turn === 'poke') tell({ type: 'attempt_succeeded', key, attempt, output: { done: false }, at });
    else if (turn === 'success')
      tell({ type: 'attempt_succeeded', key, attempt, output: isSensor ? { done: true } : output, at });
    else tell({ type: 'attempt_failed', key, attempt, failure, at });
  }
}

function isRunning({ state, size }: TaskInstance): boolean {
  return state === 'running' && size === undefined;
}

const order = fc.array(fc.nat(1000), { minLength: 1, maxLength: 100 });

test('telling an open run its events is the same as taking each step by itself', () => {
  fc.assert(
    fc.property(randomRun, order, (random, choices) => {
      const run = new OpenRun(random.plan, startRun(random.plan, facts));
      let apart = run.progress;
      driveToEnd(
        random,
        choices,
        () => apart,
        (event) => {
          const step = advance(random.plan, apart, event);
          const { commands, changed } = run.tell(event);
          expect({ commands, changed, progress: run.progress }).toEqual(step);
          apart = step.progress;
        },
      );
    }),
    { numRuns: 300 },
  );
}, 300_000);

test('with few slots, and continued as new at any moment, any run ends as the naive model says', () => {
  fc.assert(
    fc.property(randomRun, order, fc.nat(3), fc.nat(6), (random, choices, slots, every) => {
      const plan = { ...random.plan, maxActiveTasks: slots + 1 };
      let run = new OpenRun(plan, startRun(plan, facts));
      let told = 0;
      const tell = (event: RunEvent): void => {
        const continues = run.tell(event).commands.some(({ type }) => type === 'continue_as_new');
        const running = Object.values(run.progress.instances).filter(isRunning);
        expect(running.length).toBeLessThanOrEqual(plan.maxActiveTasks);
        if (continues) {
          run = new OpenRun(plan, unpackProgress(packProgress(run.progress)));
          tell({ type: 'run_continued', at: event.at });
        } else if (every > 0 && (told += 1) % (every + 1) === 0)
          tell({ type: 'drain_requested', at: event.at });
      };
      driveToEnd(random, choices, () => run.progress, tell);
      const expected = naiveEnds(random.naive);
      const found = new Map(random.naive.map(({ id }) => [id, run.progress.instances[id]!.state]));
      expect(found).toEqual(expected);
      expect(run.progress.outcome).toBe(naiveOutcome(random.naive, expected));
    }),
    { numRuns: 700 },
  );
}, 300_000);
