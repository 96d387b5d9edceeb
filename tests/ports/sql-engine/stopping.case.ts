import { expect } from 'vitest';
import type { ConformanceTest } from '../conformance.ts';
import { column, input, job, keys, type OpenSqlEngine, output, rows, write } from './fixture.ts';

const endless =
  'select count(*) as n from range(1000000) a, range(1000000) b, range(1000) c where a.range + b.range + c.range = -1';

/** Resolves once the job has beaten: its statement is running. */
function started(): { beat: () => void; running: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { beat: resolve, running: promise };
}

/** How a job ends early, is joined, and shows that it lives. */
export function stoppingCases(test: ConformanceTest, open: OpenSqlEngine): void {
  test('an aborted job stops, throws the reason, leaves no file, and the engine goes on', async () => {
    await using fixture = await open();
    const { beat, running } = started();
    const abort = new AbortController();
    const stopped = fixture.engine.run(
      job({ outputs: [output(endless, [column('n', 'bigint')], { prefix: 'out/stopped' })] }),
      { signal: abort.signal, beat },
    );
    await running;
    abort.abort(new Error('the run was cancelled'));
    await expect(stopped).rejects.toThrow('the run was cancelled');
    expect(await keys(fixture.objects, 'out/stopped')).toEqual([]);
    expect(await rows(fixture.engine, 'select 1')).toEqual([['1']]);
  });

  test('a job aborted before it begins does not begin', async () => {
    await using fixture = await open();
    await expect(
      fixture.engine.run(job({ measures: [{ name: 'm', sql: endless }] }), {
        signal: AbortSignal.abort(new Error('too late')),
      }),
    ).rejects.toThrow('too late');
  });

  test('jobs that wait for their turn can be aborted too', async () => {
    await using fixture = await open();
    const abort = new AbortController();
    const jobs = Array.from({ length: 8 }, () => {
      const { beat, running } = started();
      return {
        running,
        result: fixture.engine.run(job({ measures: [{ name: 'm', sql: endless }] }), {
          signal: abort.signal,
          beat,
        }),
      };
    });
    await Promise.race(jobs.map(({ running }) => running));
    abort.abort(new Error('all of them'));
    const ends = await Promise.allSettled(jobs.map(({ result }) => result));
    expect(ends.map((end) => (end.status === 'rejected' ? String(end.reason) : 'ended'))).toEqual(
      Array.from({ length: 8 }, () => 'Error: all of them'),
    );
  });

  test('a long statement beats more than once', async () => {
    await using fixture = await open();
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    let beats = 0;
    const beat = () => {
      beats += 1;
      if (beats === 3) resolve();
    };
    const running = fixture.engine.run(job({ measures: [{ name: 'm', sql: endless }] }), {
      signal: abort.signal,
      beat,
    });
    await promise;
    abort.abort(new Error('seen enough'));
    await expect(running).rejects.toThrow('seen enough');
  });

  test('the same id submitted again joins the running job', async () => {
    await using fixture = await open();
    const one = job({
      outputs: [
        output(`select count(*) as n from range(20000000) r(i) where i % 3 = 0`, [column('n', 'bigint')], {
          prefix: 'out/joined',
        }),
      ],
    });
    const [first, second] = await Promise.all([fixture.engine.run(one), fixture.engine.run(one)]);
    expect(second).toBe(first);
    expect(await keys(fixture.objects, 'out/joined')).toEqual(
      first.outputs['out']![0]!.files.map(({ key }) => key),
    );
  });

  test('one caller giving up does not stop the others; the last one does', async () => {
    await using fixture = await open();
    const one = job({ measures: [{ name: 'm', sql: endless }] });
    const { beat, running } = started();
    const [first, second] = [new AbortController(), new AbortController()];
    const firstResult = fixture.engine.run(one, { signal: first.signal, beat });
    await running;
    let secondEnded = false;
    const secondResult = fixture.engine
      .run(one, { signal: second.signal })
      .finally(() => (secondEnded = true));
    secondResult.catch(() => undefined);
    first.abort(new Error('first gone'));
    await expect(firstResult).rejects.toThrow('first gone');
    expect(secondEnded).toBe(false);
    second.abort(new Error('second gone'));
    await expect(secondResult).rejects.toThrow('second gone');
  });

  test('an id that has ended runs again and gives the same result', async () => {
    await using fixture = await open();
    const columns = [column('n', 'bigint')];
    const one = job({
      outputs: [output('select sum(range)::bigint as n from range(1000)', columns, { prefix: 'out/twice' })],
    });
    const first = await fixture.engine.run(one);
    const second = await fixture.engine.run(one);
    expect(second.outputs).toEqual(first.outputs);
    expect(await keys(fixture.objects, 'out/twice')).toEqual(
      second.outputs['out']![0]!.files.map(({ key }) => key),
    );
  });

  test('a job larger than memory spills and ends well', async () => {
    await using fixture = await open({ memoryLimitBytes: 256 << 20 });
    const columns = [column('k', 'text'), column('n', 'bigint')];
    const source = await write(
      fixture.engine,
      output(`select md5(i::varchar) as k, i as n from range(3000000) r(i)`, columns),
    );
    const steps = [
      {
        name: 'ranked',
        sql: 'select k, n, row_number() over (partition by n % 1000 order by k) as place from source',
      },
    ];
    const result = await fixture.engine.run(
      job({
        inputs: [input('source', source, columns)],
        steps,
        measures: [{ name: 'm', sql: 'select count(*) as n, max(place) as place from ranked' }],
      }),
    );
    expect(result.measures['m']).toEqual([{ n: '3000000', place: '3000' }]);
  });

  test('a job that cannot fit says what to do', async () => {
    await using fixture = await open({ memoryLimitBytes: 64 << 20 });
    const greedy = job({
      measures: [
        { name: 'm', sql: `select length(string_agg(md5(i::varchar), '')) as n from range(20000000) r(i)` },
      ],
    });
    await expect(fixture.engine.run(greedy)).rejects.toThrow(/memory limit.*Raise the engine memory limit/s);
    expect(await rows(fixture.engine, 'select 1')).toEqual([['1']]);
  });
}
