import { describe, expect, test } from 'vitest';
import { advance, startRun } from '../../dag/reducer.ts';
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
  expect(run.commands).toEqual([
    { type: 'start_attempt', key: 'a', taskId: 'a', mapIndex: null, attempt: 1, input: null, lease: false },
  ]);
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
  const plan = planOf(
    dag(
      'wide',
      {},
      ({ map, task }) =>
        void [
          task('z', nothing),
          map(
            'm',
            Array.from({ length: 12 }, (_, n) => n),
            (n: number) => n,
          ),
        ],
    ),
  );
  expect(new Driven(plan).started()).toEqual([...Array.from({ length: 12 }, (_, n) => `m[${n}]`), 'z']);
});

describe('references', () => {
  const plan = planOf(
    dag('refs', { params: { days: { type: 'integer', default: 3 } } }, ({ task, interval, params, run }) => {
      const a = task('a', (): { deep: { list: { k: string }[] }; maybe?: string } => ({
        deep: { list: [] },
      }));
      task(
        'b',
        (_input: {
          k: string;
          at: string;
          days: number;
          id: string;
          maybe?: string;
          all: (string | undefined)[];
        }) => null,
        {
          k: a.output.deep.list[1]!.k,
          at: interval.logicalDate,
          days: params.days,
          id: run.id,
          maybe: a.output.maybe as never,
          all: [a.output.maybe],
        },
      );
    }),
  );

  test('resolve to what they name; an absent optional field leaves its key out and is null in a list', () => {
    const run = new Driven(plan, { ...facts, params: { days: 9 } });
    run.succeed('a', { deep: { list: [{ k: 'x' }, { k: 'y' }] } });
    expect(run.commands).toMatchObject([
      { input: { k: 'y', at: facts.interval.start, days: 9, id: 'r1', all: [null] } },
    ]);
    expect(Object.keys((run.commands[0] as { input: object }).input)).not.toContain('maybe');
  });

  test('to a task that did not succeed are null', () => {
    const lenient = planOf(
      dag('lenient', { defaults: { retries: 0 } }, ({ task }) => {
        const a = task('a', () => ({ n: 1 }));
        task(
          'b',
          (_input: { n: number | null; a: { n: number } | null }) => null,
          { n: a.output.n, a },
          { triggerRule: 'all_done' },
        );
      }),
    );
    expect(new Driven(lenient).fail('a').commands).toMatchObject([{ key: 'b', input: { n: null, a: null } }]);
  });

  test('do not reach what JavaScript adds to objects', () => {
    const sly = planOf(
      dag('sly', {}, ({ task }) => {
        const a = task('constructor', () => ({ n: 1 }));
        task('b', (_input: Record<string, unknown>) => null, {
          x: (a.output as never as { toString: string }).toString,
          y: (a.output as never)['constructor'],
        });
      }),
    );
    expect(new Driven(sly).succeed('constructor', { n: 1 }).commands).toMatchObject([
      { key: 'b', input: {} },
    ]);
  });
});
