import { expect } from 'vitest';
import { TerminalError } from '../../../ports/errors.ts';
import type { Column } from '../../../dag/relation.ts';
import type { ConformanceTest } from '../conformance.ts';
import { column, input, job, keys, type OpenSqlEngine, output, rows, write } from './fixture.ts';

/** What a job writes. */
export function outputCases(test: ConformanceTest, open: OpenSqlEngine): void {
  const everyType = [
    column('t', 'text'),
    column('b', 'boolean'),
    column('i', 'int'),
    column('l', 'bigint'),
    column('f', 'double'),
    column('m', 'decimal(18,2)'),
    column('x', 'decimal(38,18)'),
    column('d', 'date'),
    column('ts', 'timestamp'),
    column('a', 'text[]'),
  ];

  test('every type survives writing and reading exactly', async () => {
    await using fixture = await open();
    const select = `
      select * from (values
        ('é"'' \n', true, 2147483647, 9223372036854775807, 0.1::double, 9999999999999999.99::decimal(18,2), 12345678901234567890.123456789012345678::decimal(38,18), date '9999-12-31', timestamp '2026-01-01 23:59:59.999999', ['a', '', null, '"}']),
        ('', false, -2147483648, -9223372036854775807, -1e300::double, -0.01::decimal(18,2), -0.000000000000000001::decimal(38,18), date '0001-01-01', timestamp '1969-12-31 23:59:59.000001', []::varchar[]),
        (null, null, null, null, null, null, null, null, null, null)
      ) as v(t, b, i, l, f, m, x, d, ts, a)`;
    const written = await write(fixture.engine, output(select, everyType));
    const found = await rows(fixture.engine, 'select * from source order by i nulls last', [
      input('source', written, everyType),
    ]);
    expect(found).toEqual([
      [
        '',
        false,
        '-2147483648',
        '-9223372036854775807',
        '-1e+300',
        '-0.01',
        '-0.000000000000000001',
        '0001-01-01',
        '1969-12-31 23:59:59.000001',
        [],
      ],
      [
        `é"' \n`,
        true,
        '2147483647',
        '9223372036854775807',
        '0.1',
        '9999999999999999.99',
        '12345678901234567890.123456789012345678',
        '9999-12-31',
        '2026-01-01 23:59:59.999999',
        ['a', '', null, '"}'],
      ],
      [null, null, null, null, null, null, null, null, null, null],
    ]);
    expect(
      (await fixture.engine.parquetSchema(written[0]!.files[0]!.key)).map(({ name, type }) => [name, type]),
    ).toEqual(everyType.map(({ name, type }) => [name, type]));
  });

  test('rows, files and statistics are told per partition, compared by value', async () => {
    await using fixture = await open();
    const columns = [
      column('n', 'int'),
      column('m', 'decimal(18,2)'),
      column('t', 'text'),
      column('ts', 'timestamp'),
      column('b', 'boolean'),
      column('day', 'date', false),
    ];
    const select = `select n, (n * 1.5 - 20)::decimal(18,2) as m, case when n % 10 <> 0 then 'é' || n end as t, timestamp '2026-01-01' + to_seconds(n) as ts, n > 90 as b, date '2026-01-01' + (n % 2) as day from (select unnest(generate_series(9, 100))::int as n)`;
    const written = await write(fixture.engine, output(select, columns, { partitionBy: ['day'] }));
    expect(written.map(({ partition, rows: count }) => [partition, count])).toEqual([
      [{ day: '2026-01-01' }, 46],
      [{ day: '2026-01-02' }, 46],
    ]);
    expect(written[0]!.columns).toEqual({
      n: { nulls: 0, min: '10', max: '100' },
      m: { nulls: 0, min: '-5.00', max: '130.00' },
      t: { nulls: 10, min: 'é12', max: 'é98' },
      ts: { nulls: 0, min: '2026-01-01 00:00:10', max: '2026-01-01 00:01:40' },
      b: { nulls: 0, min: 'false', max: 'true' },
      day: { nulls: 0, min: '2026-01-01', max: '2026-01-01' },
    });
    for (const { files, bytes } of written) {
      expect(bytes).toBe(files.reduce((sum, file) => sum + file.bytes, 0));
      for (const file of files)
        expect(await fixture.objects.head(file.key)).toMatchObject({ bytes: file.bytes });
    }
  });

  test('statistics of several files are merged by value', async () => {
    await using fixture = await open({ maxFileBytes: 50_000 });
    const columns = [
      column('n', 'bigint'),
      column('m', 'decimal(10,2)'),
      column('f', 'double'),
      column('t', 'text'),
    ];
    const select = `select n, -n::decimal(10,2) as m, n * 1e10 as f, case when n % 2 = 0 then md5(n::varchar) || sha256(n::varchar) end as t from (select unnest(generate_series(1, 600000)) as n)`;
    const [whole] = await write(fixture.engine, output(select, columns));
    expect(whole!.files.length).toBeGreaterThan(1);
    expect(whole!.rows).toBe(600_000);
    expect(whole!.files.reduce((sum, file) => sum + file.rows, 0)).toBe(600_000);
    expect(whole!.columns).toMatchObject({
      n: { min: '1', max: '600000' },
      m: { min: '-600000.00', max: '-1.00' },
      t: { nulls: 300_000 },
    });
    expect(Number(whole!.columns['f']!.max)).toBe(6e15);
  });

  test('a partition larger than a file may be is in several files', async () => {
    await using fixture = await open({ maxFileBytes: 2_000_000 });
    const columns = [column('t', 'text'), column('day', 'date', false), column('n', 'bigint')];
    const select = `select md5(n::varchar) || sha256(n::varchar) as t, date '2026-01-01' + (n % 20 = 0)::int as day, n from (select unnest(generate_series(1, 400000)) as n)`;
    const [large, small] = await write(fixture.engine, output(select, columns, { partitionBy: ['day'] }));
    expect([large!.rows, small!.rows]).toEqual([380_000, 20_000]);
    expect(large!.files.length).toBeGreaterThan(2);
    expect(large!.columns['n']).toEqual({ nulls: 0, min: '1', max: '399999' });
    const written = input('source', [large!, small!], columns, ['day']);
    expect(
      await rows(fixture.engine, 'select count(*), count(distinct t), sum(n) from source', [written]),
    ).toEqual([['400000', '400000', '80000200000']]);
    expect((await keys(fixture.objects, large!.files[0]!.key.split('/').slice(0, 2).join('/'))).length).toBe(
      large!.files.length + small!.files.length,
    );
  });

  const hints: readonly (readonly [words: string, where: string, partition: Record<string, string>])[] = [
    ['right', `n % 2 = 1`, { day: '2026-01-02' }],
    ['right for no row', `n < 0`, { day: '2026-01-02' }],
    ['wrong for some rows', `n > 0`, { day: '2026-01-02' }],
    ['no value of its type', `n > 0`, { day: 'x' }],
    ['right in two columns', `n = 1`, { day: '2026-01-02', t: '1' }],
    ['wrong in one of two columns', `n % 2 = 1`, { day: '2026-01-02', t: '1' }],
    ['spelt otherwise', `n % 2 = 1`, { day: '2026-01-02 00:00:00' }],
  ];
  for (const [words, where, partition] of hints)
    test(`an output told that its rows are of one partition, which is ${words}, is as if it had not been`, async () => {
      await using fixture = await open();
      const columns = [column('day', 'date', false), column('n', 'bigint'), column('t', 'text', false)];
      const select = `select case when n % 2 = 1 then date '2026-01-02' else date '2026-01-01' end as day, cast(n as bigint) as n, cast(n as text) as t from (values (1), (2), (3), (4), (5)) v(n) where ${where}`;
      const one = (more: { partition?: Record<string, string> }) =>
        output(select, columns, { partitionBy: Object.keys(partition), ...more });
      const [plain, told] = [one({}), one({ partition })];
      const [without, written] = [await write(fixture.engine, plain), await write(fixture.engine, told)];
      const facts = (some: typeof written) =>
        some.map(({ partition: values, rows: count, columns: statistics }) => ({
          values,
          count,
          statistics,
        }));
      expect(facts(written)).toEqual(facts(without));
      const sums = (some: typeof written) =>
        rows(
          fixture.engine,
          'select day, count(*) as c, sum(n) as s, min(t) as t from source group by day order by day',
          [input('source', some, columns, Object.keys(partition))],
        );
      expect(await sums(written)).toEqual(await sums(without));
      const stored = written.flatMap(({ files }) => files.map(({ key }) => key));
      expect(await keys(fixture.objects, told.prefix)).toEqual(stored.toSorted());
    });

  test('without rows a partitioned output has no partitions and any other has one, empty', async () => {
    await using fixture = await open();
    const columns = [column('n', 'int'), column('day', 'date', false)];
    const none = `select 1 as n, date '2026-01-01' as day where false`;
    expect(await write(fixture.engine, output(none, columns, { partitionBy: ['day'] }))).toEqual([]);
    const [empty, ...more] = await write(fixture.engine, output(none, columns));
    expect(more).toEqual([]);
    expect(empty).toMatchObject({
      partition: {},
      rows: 0,
      columns: { n: { nulls: 0, min: null, max: null } },
    });
    expect(
      await rows(fixture.engine, 'select count(*), max(n) from source', [input('source', [empty!], columns)]),
    ).toEqual([['0', null]]);
  });

  const refusals: [string, string, Column['type']][] = [
    ['a decimal with more digits than declared', 'select 1.005::decimal(10,3) as v', 'decimal(10,2)'],
    ['a decimal too large', 'select 123456::decimal(10,2) as v', 'decimal(6,2)'],
    ['a fraction for an integer', 'select 1.5::double as v', 'int'],
    ['an integer too large', 'select 3000000000 as v', 'int'],
    ['a double as money', 'select 1::double / 3 as v', 'decimal(18,6)'],
    ['a time of day for a date', `select timestamp '2026-01-01 10:00:00' as v`, 'date'],
    ['text with too many decimals', `select '1.005' as v`, 'decimal(10,2)'],
    ['text with an offset', `select '2026-01-01T00:00:00+02:00' as v`, 'timestamp'],
    ['text with nanoseconds', `select '2026-01-01T00:00:00.1234567' as v`, 'timestamp'],
    ['text that is no number', `select 'x' as v`, 'int'],
    ['a fraction in text for an integer', `select '1.5' as v`, 'bigint'],
    ['text with a time of day for a date', `select '2026-01-01 10:00:00' as v`, 'date'],
  ];
  for (const [what, select, type] of refusals)
    test(`${what} fails the job and leaves no file`, async () => {
      await using fixture = await open();
      const failing = fixture.engine.run(
        job({ outputs: [output(select, [column('v', type)], { prefix: 'out/refused' })] }),
      );
      await expect(failing).rejects.toThrow(TerminalError);
      await expect(failing).rejects.toThrow(/output out/);
      expect(await keys(fixture.objects, 'out/refused')).toEqual([]);
    });

  test('values that fit are cast', async () => {
    await using fixture = await open();
    const columns = [
      column('a', 'decimal(18,2)'),
      column('b', 'int'),
      column('c', 'date'),
      column('d', 'timestamp'),
      column('e', 'text'),
      column('f', 'bigint'),
    ];
    const select = `select '1.50' as a, 7::hugeint as b, timestamp '2026-01-01' as c, '2026-01-01T01:02:03Z' as d, 12.50::decimal(10,2) as e, sum(5::bigint) as f`;
    const [written] = await write(fixture.engine, output(select, columns));
    expect(
      await rows(fixture.engine, 'select * from source', [input('source', [written!], columns)]),
    ).toEqual([['1.50', '7', '2026-01-01', '2026-01-01 01:02:03', '12.50', '5']]);
  });

  test('missing, extra and null columns are refused with both lists', async () => {
    await using fixture = await open();
    await expect(
      write(fixture.engine, output('select 1 as a, 2 as c', [column('a', 'int'), column('b', 'int')])),
    ).rejects.toThrow(/expected columns a, b; found a, c/);
    await expect(
      write(fixture.engine, output('select null::int as a', [column('a', 'int', false)])),
    ).rejects.toThrow(/no null in a/);
    await expect(
      write(
        fixture.engine,
        output('select 1 as a, null::date as day', [column('a', 'int'), column('day', 'date', false)], {
          partitionBy: ['day'],
        }),
      ),
    ).rejects.toThrow(/partition column day/);
  });

  test('what an earlier attempt left under the prefix is not in the result', async () => {
    await using fixture = await open();
    const columns = [column('n', 'int'), column('day', 'date', false)];
    await fixture.objects.put(
      'out/again/day=2026-01-01/data_0.parquet',
      new TextEncoder().encode('half a file'),
    );
    await fixture.objects.put(
      'out/again/day=2026-03-03/left.parquet',
      new TextEncoder().encode('half a file'),
    );
    const written = await write(
      fixture.engine,
      output(`select 1 as n, date '2026-01-01' as day`, columns, {
        partitionBy: ['day'],
        prefix: 'out/again/',
      }),
    );
    expect(await keys(fixture.objects, 'out/again/')).toEqual(
      written.flatMap(({ files }) => files.map(({ key }) => key)),
    );
  });

  test('several outputs come from one job, each with its own partitions', async () => {
    await using fixture = await open();
    const columns = [column('n', 'int')];
    const outputs = [
      output('select n from base where n > 1', columns, { name: 'big' }),
      output('select n from base where n <= 1', columns, { name: 'small' }),
    ];
    const result = await fixture.engine.run(
      job({ steps: [{ name: 'base', sql: 'select unnest([1, 2, 3])::int as n' }], outputs }),
    );
    expect([result.outputs['big']![0]!.rows, result.outputs['small']![0]!.rows]).toEqual([2, 1]);
  });
}
