import { expect } from 'vitest';
import { TerminalError } from '../../../ports/errors.ts';
import type { SqlEngine } from '../../../ports/sql-engine.ts';
import type { ConformanceTest } from '../conformance.ts';
import { column, input, type OpenSqlEngine, output, write } from './fixture.ts';

async function text(
  engine: SqlEngine,
  select: string,
  inputs: Parameters<SqlEngine['exportCsv']>[1] = [],
): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of engine.exportCsv(select, inputs)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Rows on their way to PostgreSQL. */
export function csvExportCases(test: ConformanceTest, open: OpenSqlEngine): void {
  test('nulls, empty texts, quotes, newlines and lists are told apart', async () => {
    await using fixture = await open();
    const select = `
      select * from (values
        (1, null, null::varchar[], null::decimal(18,2), null::boolean, null::timestamp),
        (2, '', []::varchar[], 1.50, true, timestamp '2026-01-01 00:00:00.5'),
        (3, 'a "b", c' || chr(10) || 'd', ['x', null, 'y "z" \\ ,', 'NULL', ''], -0.01, false, timestamp '2026-01-01')
      ) as v(id, t, l, m, b, ts) order by id`;
    expect((await text(fixture.engine, select)).trimEnd().split('\n').toSorted()).toEqual(
      [
        '1,,,,,',
        '2,"",{},1.50,true,2026-01-01 00:00:00.5',
        '3,"a ""b"", c',
        String.raw`d","{""x"",NULL,""y \""z\"" \\ ,"",""NULL"",""""}",-0.01,false,2026-01-01 00:00:00`,
      ].toSorted(),
    );
  });

  test('a lone column cannot spell the end of a copy', async () => {
    await using fixture = await open();
    expect(await text(fixture.engine, String.raw`select '\.' as t`)).toBe('"\\."\n');
  });

  test('a million rows stream through, every one', async () => {
    await using fixture = await open();
    const columns = [column('n', 'bigint'), column('t', 'text')];
    const written = await write(
      fixture.engine,
      output(`select i as n, 'row ' || i as t from range(1000000) r(i)`, columns),
    );
    let lines = 0;
    for await (const chunk of fixture.engine.exportCsv('select n, t from source', [
      input('source', written, columns),
    ]))
      for (const byte of chunk) if (byte === 10) lines += 1;
    expect(lines).toBe(1_000_000);
  });

  test('a reader may leave early, and be aborted', async () => {
    await using fixture = await open();
    const select = `select i, md5(i::varchar) from range(2000000) r(i)`;
    for await (const chunk of fixture.engine.exportCsv(select, [])) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    const abort = new AbortController();
    const reading = async () => {
      for await (const _ of fixture.engine.exportCsv(select, [], { signal: abort.signal }))
        abort.abort(new Error('enough'));
    };
    await expect(reading()).rejects.toThrow('enough');
  });

  test('what PostgreSQL has no text for is refused', async () => {
    await using fixture = await open();
    await expect(text(fixture.engine, 'select {a: 1} as s')).rejects.toThrow(TerminalError);
    await expect(text(fixture.engine, 'select nothing')).rejects.toThrow(/line 1, column 8/);
  });
}
