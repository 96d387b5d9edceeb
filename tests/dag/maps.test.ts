import { describe, expect, test } from 'vitest';
import { taskOutput } from '../../dag/reducer.ts';
import { Driven, dag, planOf } from './support.ts';

const nothing = () => null;

describe('maps', () => {
  const plan = planOf(
    dag('maps', { defaults: { retries: 0 } }, ({ task, map }) => {
      const list = task('list', () => ({ files: [{ key: 'a' }] }));
      const each = map(
        'each',
        list.output.files,
        (input: { name: string }) => input.name.length,
        (file) => ({ name: file.key }),
        { retries: 1 },
      );
      task('sum', (_input: { all: number[] }) => null, { all: each });
      task('cleanup', nothing, undefined, { triggerRule: 'all_done' }).after(each);
    }),
  );

  test('run one instance per element, and give their outputs in order', () => {
    const run = new Driven(plan).succeed('list', { files: [{ key: 'x' }, { key: 'y' }, { key: 'z' }] });
    expect(
      run.commands.map(
        (command) => command.type === 'start_attempt' && [command.key, command.mapIndex, command.input],
      ),
    ).toEqual([
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
    const run = new Driven(plan)
      .succeed('list', { files: [{ key: 'x' }, { key: 'y' }] })
      .fail('each[1]', { retryable: true });
    expect(run.wake('each[1]').commands).toMatchObject([
      { key: 'each[1]', attempt: 2, input: { name: 'y' } },
    ]);
  });

  test('as a whole have no attempt, so that none of it can end', () => {
    const run = new Driven(plan).succeed('list', { files: [{ key: 'x' }] });
    expect(run.fail('each').changed).toEqual([]);
    expect(run.succeed('each[0]', 1).state('each')).toBe('success');
  });

  test('fail as a whole when an instance fails, after the others ended; the run names the instance', () => {
    const run = new Driven(plan)
      .succeed('list', { files: [{ key: 'x' }, { key: 'y' }] })
      .fail('each[0]', { message: 'no such file' });
    expect(run.state('each')).toBe('running');
    run.succeed('each[1]', 2);
    expect(run.states()).toMatchObject({ each: 'failed', sum: 'upstream_failed', cleanup: 'running' });
    expect(run.instance('each').failure!.message).toBe('1 of 2 instances failed; each[0]: no such file');
    run.succeed('cleanup');
    expect(run.commands).toEqual([{ type: 'finish_run', outcome: 'failed', failures: ['each[0]'] }]);
  });

  test('over something that is no list, or too long, fail with what was found', () => {
    const text = new Driven(plan).succeed('list', { files: 'abc' });
    expect(text.instance('each')).toMatchObject({
      state: 'failed',
      failure: {
        type: 'MapListInvalid',
        message: 'expected a list to map over; found "abc". Return a list.',
      },
    });
    const long = new Driven(plan).succeed('list', { files: Array.from({ length: 1025 }, () => 0) });
    expect(long.instance('each').failure).toMatchObject({
      type: 'MapListTooLong',
      message: expect.stringContaining('at most 1024') as string,
    });
    const longest = new Driven(plan).succeed('list', { files: Array.from({ length: 1024 }, () => 0) });
    expect(longest.instance('each')).toMatchObject({ state: 'running', size: 1024 });
  });

  test('within a map go over all elements of what its instances return, to any depth', () => {
    const nested = planOf(
      dag('nested', { defaults: { retries: 0 } }, ({ task, map, flatMap }) => {
        const folders = task('folders', () => ['a', 'b', 'c']);
        const files = map('files', folders, (folder: string) => [{ path: `${folder}/1` }]);
        const parts = flatMap(
          'parts',
          files,
          (path: string) => [`${path}#1`],
          (file) => file.path,
        );
        const lines = flatMap('lines', parts, (part: string) => part.length);
        task('sum', (_input: number[]) => null, lines);
      }),
    );
    const run = new Driven(nested).succeed('folders', ['a', 'b', 'c']);
    run.succeed('files[0]', [{ path: 'a/1' }, { path: 'a/2' }]).succeed('files[1]', []);
    expect(run.succeed('files[2]', [{ path: 'c/1' }]).commands).toMatchObject([
      { key: 'parts[0]', mapIndex: 0, input: 'a/1' },
      { key: 'parts[1]', mapIndex: 1, input: 'a/2' },
      { key: 'parts[2]', mapIndex: 2, input: 'c/1' },
    ]);
    run.succeed('parts[2]', ['z']).succeed('parts[0]', ['x', 'y']);
    expect(run.succeed('parts[1]', []).commands).toMatchObject([
      { key: 'lines[0]', input: 'x' },
      { key: 'lines[1]', input: 'y' },
      { key: 'lines[2]', input: 'z' },
    ]);
    run.succeed('lines[0]', 1).succeed('lines[1]', 2);
    expect(run.succeed('lines[2]', 3).commands).toMatchObject([{ key: 'sum', input: [1, 2, 3] }]);
  });

  test('within a map need lists, and are skipped when all of them are empty', () => {
    const nested = planOf(
      dag('nested', { defaults: { retries: 0 } }, ({ task, flatMap }) => {
        flatMap(
          'each',
          task('lists', () => [[0]]),
          (n: number) => n,
        );
      }),
    );
    expect(new Driven(nested).succeed('lists', [[], []]).state('each')).toBe('skipped');
    expect(new Driven(nested).succeed('lists', [[1], 2]).instance('each').failure).toMatchObject({
      type: 'MapListInvalid',
      message: 'expected a list of lists to map over; found [[1],2]. Return a list.',
    });
  });

  test('can be allowed to be longer than others', () => {
    const wide = planOf(
      dag('wide', {}, ({ task, map }) => {
        const list = task('list', () => [0]);
        map(
          'each',
          list,
          (n: number) => n,
          (n) => n,
          { maxMapLength: 20_000 },
        );
      }),
    );
    const zeros = (length: number): number[] => Array.from({ length }, () => 0);
    expect(new Driven(wide).succeed('list', zeros(20_000)).state('each')).toBe('running');
    expect(new Driven(wide).succeed('list', zeros(20_001)).instance('each').failure?.message).toContain(
      'at most 20000 elements to map over; found 20001',
    );
  });

  test('over the output of a task that was skipped are skipped, whatever their rule', () => {
    const lenient = planOf(
      dag('lenient', { defaults: { retries: 0 } }, ({ task, map, shortCircuit }) => {
        const skipped = map('skipped', [] as number[], (n: number) => n);
        map(
          'each',
          skipped,
          (n: number) => n,
          (n) => n,
          { triggerRule: 'none_failed' },
        );
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
        map(
          'second',
          first,
          (input: { name: string; fixed: number }) => input,
          (item) => ({ name: item.name, fixed: 1 }),
        );
      }),
    );
    const run = new Driven(twice).succeed('first[0]', { name: 'A' }).succeed('first[1]', { name: 'B' });
    expect(run.commands).toMatchObject([
      { key: 'second[0]', input: { name: 'A', fixed: 1 } },
      { key: 'second[1]', input: { name: 'B', fixed: 1 } },
    ]);
  });
});
