import { expect } from 'vitest';
import { TerminalError } from '../../../ports/errors.ts';
import type { ConformanceTest } from '../conformance.ts';
import { column, input, job, type OpenSqlEngine, output, rows, write } from './fixture.ts';

/** What a job may read. */
export function relationCases(test: ConformanceTest, open: OpenSqlEngine): void {
  const columns = [column('id', 'int', false), column('day', 'date', false), column('place', 'text')];

  test('an input without files is an empty relation with its columns and types', async () => {
    await using fixture = await open();
    const empty = { name: 'nothing', columns, partitionBy: ['day'], files: [] };
    const found = await rows(fixture.engine, 'select count(*), count(id + 1), max(day) from nothing', [
      empty,
    ]);
    expect(found).toEqual([['0', '0', null]]);
  });

  test('partition values come back typed and exact, whatever characters they hold', async () => {
    await using fixture = await open();
    const select = `select * from (values (1, date '2026-01-01', 'a/b=c%20 d''e"é🙂'), (2, date '2026-01-02', 'x*[?]y'), (3, date '2026-01-02', '')) as t(id, day, place)`;
    const written = await write(fixture.engine, output(select, columns, { partitionBy: ['day', 'place'] }));
    expect(written).toHaveLength(3);
    const found = await rows(fixture.engine, 'select id, day, place, day + 1 from source order by id', [
      input('source', written, columns, ['day', 'place']),
    ]);
    expect(found).toEqual([
      ['1', '2026-01-01', `a/b=c%20 d'e"é🙂`, '2026-01-02'],
      ['2', '2026-01-02', 'x*[?]y', '2026-01-03'],
      ['3', '2026-01-02', '', '2026-01-03'],
    ]);
  });

  test('partition values need not stand in the path', async () => {
    await using fixture = await open();
    const stored = [column('id', 'int', false)];
    const files = [];
    for (let at = 0; at < 40; at += 1) {
      const [written] = await write(fixture.engine, output(`select ${at} as id`, stored));
      files.push({
        key: written!.files[0]!.key,
        partition: { day: `2026-01-${String((at % 31) + 1).padStart(2, '0')}`, place: `p${at}` },
      });
    }
    const few = { name: 'few', columns, partitionBy: ['day', 'place'], files: files.slice(0, 3) };
    const many = { name: 'many', columns, partitionBy: ['day', 'place'], files };
    expect(await rows(fixture.engine, 'select id, day, place from few order by id', [few])).toEqual([
      ['0', '2026-01-01', 'p0'],
      ['1', '2026-01-02', 'p1'],
      ['2', '2026-01-03', 'p2'],
    ]);
    expect(
      await rows(
        fixture.engine,
        `select count(*), count(*) filter (where place = 'p' || id), count(distinct day) from many`,
        [many],
      ),
    ).toEqual([['40', '40', '31']]);
  });

  test('a value in the path that is not the partition’s is not believed', async () => {
    await using fixture = await open();
    const [written] = await write(
      fixture.engine,
      output(`select 1 as id, date '2026-01-01' as day, 'x' as place`, columns, {
        partitionBy: ['day', 'place'],
      }),
    );
    const files = [{ key: written!.files[0]!.key, partition: { day: '2026-02-02', place: 'y' } }];
    expect(
      await rows(fixture.engine, 'select * from source', [
        { name: 'source', columns, partitionBy: ['day', 'place'], files },
      ]),
    ).toEqual([['1', '2026-02-02', 'y']]);
  });

  test('a nullable column that older files lack is null there', async () => {
    await using fixture = await open();
    const before = [column('id', 'int', false)];
    const after = [...before, column('tag', 'text')];
    const written = [
      ...(await write(fixture.engine, output('select 1 as id', before))),
      ...(await write(fixture.engine, output(`select 2 as id, 'new' as tag`, after))),
    ];
    expect(
      await rows(fixture.engine, 'select id, tag from source order by id', [input('source', written, after)]),
    ).toEqual([
      ['1', null],
      ['2', 'new'],
    ]);
    expect(
      await rows(fixture.engine, 'select id, tag from source', [input('source', written.slice(0, 1), after)]),
    ).toEqual([['1', null]]);
    const strict = [...before, column('tag', 'text', false)];
    await expect(
      rows(fixture.engine, 'select 1', [input('source', written.slice(0, 1), strict)]),
    ).rejects.toThrow(/column tag/);
  });

  test('inline relations keep text, nulls, lists and every digit', async () => {
    await using fixture = await open();
    const inline = {
      name: 'rate',
      columns: [
        column('currency', 'text'),
        column('rate', 'decimal(38,18)'),
        column('tags', 'text[]'),
        column('at', 'timestamp'),
        column('ok', 'boolean'),
      ],
      rows: [
        [
          `it's "é"`,
          '12345678901234567890.123456789012345678',
          ['a', `b'"`],
          '2026-01-01T00:00:00.123456Z',
          'true',
        ],
        [null, null, null, null, null],
      ],
    };
    const result = await fixture.engine.run(
      job({
        inline: [inline],
        measures: [{ name: 'm', sql: 'select * from rate order by currency nulls last' }],
      }),
    );
    expect(result.measures['m']).toEqual([
      {
        currency: `it's "é"`,
        rate: '12345678901234567890.123456789012345678',
        tags: ['a', `b'"`],
        at: '2026-01-01 00:00:00.123456',
        ok: true,
      },
      { currency: null, rate: null, tags: null, at: null, ok: null },
    ]);
    await expect(
      fixture.engine.run(
        job({
          inline: [
            {
              ...inline,
              columns: [column('currency', 'text'), column('rate', 'decimal(38,2)')],
              rows: [['EUR', '1.234']],
            },
          ],
        }),
      ),
    ).rejects.toThrow(TerminalError);
    const empty = await fixture.engine.run(
      job({
        inline: [{ ...inline, rows: [] }],
        measures: [{ name: 'm', sql: 'select count(rate) as n from rate' }],
      }),
    );
    expect(empty.measures['m']).toEqual([{ n: '0' }]);
  });

  test('steps see earlier steps, and jobs do not see each other', async () => {
    await using fixture = await open();
    const one = (value: number) =>
      job({
        steps: [
          { name: 'first', sql: `select ${value} as n -- a comment at the end` },
          { name: 'second', sql: 'select n * 2 as n from first;\n' },
        ],
        measures: [{ name: 'm', sql: 'select n from second' }],
      });
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map((value) => fixture.engine.run(one(value))));
    expect(results.map((result) => result.measures['m'])).toEqual(
      [1, 2, 3, 4, 5, 6].map((value) => [{ n: String(value * 2) }]),
    );
    await expect(rows(fixture.engine, 'select * from second')).rejects.toThrow(/second/);
  });

  test('time is UTC whatever the machine says', async () => {
    await using fixture = await open();
    expect(
      await rows(fixture.engine, `select cast(timestamptz '2026-01-01 00:30:00+02:00' as timestamp)`),
    ).toEqual([['2025-12-31 22:30:00']]);
  });

  test('a missing or damaged input is named before anything is written', async () => {
    await using fixture = await open();
    const missing = {
      name: 'source',
      columns,
      partitionBy: ['day', 'place'],
      files: [{ key: 'gone.parquet', partition: { day: '2026-01-01', place: 'x' } }],
    };
    await expect(rows(fixture.engine, 'select 1', [missing])).rejects.toThrow(/gone\.parquet/);
    await fixture.objects.put('damaged.parquet', new TextEncoder().encode('this is no Parquet file at all'));
    const damaged = {
      ...missing,
      files: [{ key: 'damaged.parquet', partition: { day: '2026-01-01', place: 'x' } }],
    };
    await expect(rows(fixture.engine, 'select 1', [damaged])).rejects.toThrow(TerminalError);
  });

  test('an error names statement, line and column, and shows no data', async () => {
    await using fixture = await open();
    const broken = job({
      steps: [
        { name: 'fine', sql: `select 'top secret' as note` },
        { name: 'wrong', sql: 'select note\n  , nothing from fine' },
      ],
    });
    await expect(fixture.engine.run(broken)).rejects.toThrow(/step wrong, line 2, column 5/);
    const failing = fixture.engine.run(
      job({
        steps: [
          { name: 'fine', sql: `select 'top secret' as note` },
          { name: 'cast', sql: 'select cast(note as integer) from fine' },
        ],
      }),
    );
    await expect(failing).rejects.toThrow(/step cast/);
    await expect(failing).rejects.not.toThrow(/secret/);
  });

  test('a second statement behind a semicolon is refused', async () => {
    await using fixture = await open();
    await expect(
      fixture.engine.run(job({ steps: [{ name: 's', sql: 'select 1 as n; select 2 as n' }] })),
    ).rejects.toThrow(TerminalError);
  });
}
