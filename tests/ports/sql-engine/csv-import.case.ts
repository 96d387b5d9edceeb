import fc from 'fast-check';
import { expect } from 'vitest';
import { TerminalError } from '../../../ports/errors.ts';
import type { ObjectStore } from '../../../ports/object-store.ts';
import type { CsvJob, SqlEngine } from '../../../ports/sql-engine.ts';
import { splitCsv } from '../../oracle/csv-records.ts';
import type { ConformanceTest } from '../conformance.ts';
import { column, input, keys, type OpenSqlEngine, rows } from './fixture.ts';

let jobs = 0;

function csvJob(parts: Partial<CsvJob>): CsvJob {
  jobs += 1;
  return {
    id: `csv/${process.pid}/${jobs}`,
    sources: [],
    columns: ['a', 'b'],
    allowNewColumns: false,
    prefix: `records/${jobs}`,
    ...parts,
  };
}

async function put(objects: ObjectStore, key: string, body: string | Uint8Array): Promise<string> {
  await objects.put(key, typeof body === 'string' ? new TextEncoder().encode(body) : body);
  return key;
}

/** Rows as written, in the order of file and line. */
async function imported(
  engine: SqlEngine,
  job: CsvJob,
  names: readonly string[] = job.columns,
): Promise<unknown[][]> {
  const result = await engine.importCsv(job);
  // Marked, because a reader in JavaScript may take a U+FEFF in front of a text for a byte order mark.
  const marked = [...names, 'raw'].map((name) => `'|' || "${name}" as "${name}"`);
  const select = `select * replace (${marked.join(', ')}) from records order by source_file, line_number`;
  const columns = [
    column('source_file', 'text', false),
    column('line_number', 'bigint', false),
    ...names.map((name) => column(name, 'text', false)),
    column('malformed', 'boolean', false),
    column('raw', 'text'),
  ];
  const found = await rows(engine, select, [input('records', [result.written], columns)]);
  for (const row of found)
    for (const [at, value] of row.entries())
      if (at > 1 && typeof value === 'string') row[at] = value.slice(1);
  expect(result.written.rows).toBe(found.length);
  expect(result.files.reduce((sum, file) => sum + file.records, 0)).toBe(found.length);
  expect(result.files.reduce((sum, file) => sum + file.malformed, 0)).toBe(
    found.filter((row) => row.at(-2) === true).length,
  );
  return found;
}

/** What the rules ask for, from a splitter that shares nothing with any engine. */
function expected(key: string, body: Uint8Array): unknown[][] {
  const { header, records } = splitCsv(body);
  return records.map(({ line, fields, raw }) => {
    const good = fields !== null && fields.length === header.length && !raw.includes('\0');
    return good
      ? [key, String(line), ...fields, false, null]
      : [key, String(line), ...header.map(() => ''), true, raw.replaceAll('\0', '\uFFFD')];
  });
}

const dirt = [
  '"',
  '""',
  ',',
  '\n',
  '\r\n',
  '\r',
  '\0',
  '\x01',
  '\x02',
  '\x02e',
  '\x1e',
  '\x1f',
  'é',
  '🙂',
  '\ufeff',
  'text',
  ' ',
  '\\',
  "'",
  '$1',
].map((text) => Buffer.from(text));
const undecodable = [
  Buffer.of(0xff),
  Buffer.of(0xc3),
  Buffer.of(0xe2, 0x82),
  Buffer.of(0xed, 0xa0, 0x80),
  Buffer.of(0xc0, 0xaf),
];
const quoted = fc
  .array(fc.constantFrom(...dirt), { maxLength: 4 })
  .map((parts) => Buffer.from(`"${Buffer.concat(parts).toString().replaceAll('"', '""')}"`));
const token = fc.oneof(
  { arbitrary: fc.constantFrom(...dirt), weight: 6 },
  { arbitrary: quoted, weight: 2 },
  { arbitrary: fc.constantFrom(...undecodable), weight: 1 },
  { arbitrary: fc.constantFrom(Buffer.from('x,y\n'), Buffer.from('x,y\r\n')), weight: 4 },
);
const body = fc.array(token, { maxLength: 60 }).map((parts) => Buffer.concat(parts));
const file = fc
  .tuple(fc.constantFrom('', '\ufeff'), fc.constantFrom('a,b\n', 'a,b\r\n', '"a","b"\n'), body)
  .map(([mark, header, records]) => Buffer.concat([Buffer.from(mark + header), records]));

/** CSV files become rows, every record once. */
export function csvImportCases(test: ConformanceTest, open: OpenSqlEngine): void {
  test('the records of any set of files are those of an independent splitter', async () => {
    await using fixture = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 12 }), async (bodies) => {
        const sources: { key: string }[] = [];
        for (const [at, one] of bodies.entries())
          sources.push({ key: await put(fixture.objects, `in/${String(at).padStart(3, '0')}.csv`, one) });
        expect(await imported(fixture.engine, csvJob({ sources }))).toEqual(
          bodies.flatMap((one, at) => expected(sources[at]!.key, one)),
        );
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  test('plain records, quoted newlines, doubled quotes, CRLF and a byte order mark are read', async () => {
    await using fixture = await open();
    const key = await put(
      fixture.objects,
      'in.csv',
      '\ufeffa,b\r\n1,"two\r\nlines"\r\n"say ""hi""",\r\n,"x,y"\r\nlast, no line end',
    );
    expect(await imported(fixture.engine, csvJob({ sources: [{ key }] }))).toEqual([
      [key, '2', '1', 'two\r\nlines', false, null],
      [key, '4', 'say "hi"', '', false, null],
      [key, '5', '', 'x,y', false, null],
      [key, '6', 'last', ' no line end', false, null],
    ]);
  });

  test('malformed records are kept with their raw text, and their neighbours are not touched', async () => {
    await using fixture = await open();
    const parts = [
      'a,b\n',
      '1\n',
      '1,2,3\n',
      'x"y,2\n',
      '"x"y,2\n',
      '\n',
      'ok,ok\n',
      Buffer.from([0x61, 0x2c, 0xff, 0x0a]),
      'nul\0,2\n',
      '"a"b,"c\n',
      'd",e\n',
      '"open,2\nrest',
    ];
    const key = await put(fixture.objects, 'in.csv', Buffer.concat(parts.map((part) => Buffer.from(part))));
    expect(await imported(fixture.engine, csvJob({ sources: [{ key }] }))).toEqual([
      [key, '2', '', '', true, '1'],
      [key, '3', '', '', true, '1,2,3'],
      [key, '4', '', '', true, 'x"y,2'],
      [key, '5', '', '', true, '"x"y,2'],
      [key, '6', '', '', true, ''],
      [key, '7', 'ok', 'ok', false, null],
      [key, '8', '', '', true, 'a,\ufffd'],
      [key, '9', '', '', true, 'nul\ufffd,2'],
      [key, '10', '', '', true, '"a"b,"c'],
      [key, '11', '', '', true, 'd",e'],
      [key, '12', '', '', true, '"open,2\nrest'],
    ]);
  });

  test('one column of possibly empty fields is a table too', async () => {
    await using fixture = await open();
    const key = await put(fixture.objects, 'in.csv', 'a\n\nx\n\n');
    expect(await imported(fixture.engine, csvJob({ sources: [{ key }], columns: ['a'] }))).toEqual([
      [key, '2', '', false, null],
      [key, '3', 'x', false, null],
      [key, '4', '', false, null],
    ]);
  });

  test('a header alone gives no records', async () => {
    await using fixture = await open();
    for (const body of ['a,b', 'a,b\n', '\ufeffa,b\r\n']) {
      const key = await put(fixture.objects, 'in.csv', body);
      const result = await fixture.engine.importCsv(csvJob({ sources: [{ key }] }));
      expect(result.files).toMatchObject([{ key, records: 0, malformed: 0, header: ['a', 'b'] }]);
      expect(result.written.rows).toBe(0);
      expect(await fixture.engine.csvHeader(key)).toEqual(['a', 'b']);
    }
  });

  test('files of many blocks keep every record and every line number', async () => {
    await using fixture = await open();
    const lines = 600_000;
    const record = (at: number) =>
      at % 97 === 0 ? `"q${at}\n",x\r\n` : at % 101 === 0 ? `${at}\n` : `${at},${'y'.repeat(at % 60)}\n`;
    const many = async function* () {
      yield Buffer.from('a,b\n');
      for (let at = 0; at < lines; at += 1000)
        yield Buffer.from(Array.from({ length: 1000 }, (_, offset) => record(at + offset)).join(''));
    };
    await fixture.objects.put('many.csv', many());
    const result = await fixture.engine.importCsv(csvJob({ sources: [{ key: 'many.csv' }] }));
    const columns = [
      column('line_number', 'bigint'),
      column('a', 'text'),
      column('malformed', 'boolean'),
      column('raw', 'text'),
    ];
    const [found] = await rows(
      fixture.engine,
      `select count(*), count(distinct line_number), count(*) filter (where malformed), sum(regexp_extract(coalesce(raw, a), '\\d+')::bigint),
         count(*) filter (where line_number <> 2 + n + n // 97 + (n % 97 > 0)::int)
       from (select *, regexp_extract(coalesce(raw, a), '\\d+')::bigint as n from records)`,
      [input('records', [result.written], columns)],
    );
    const malformed = Array.from({ length: lines }, (_, at) => at).filter(
      (at) => at % 97 !== 0 && at % 101 === 0,
    ).length;
    expect(found).toEqual([
      String(lines),
      String(lines),
      String(malformed),
      String((lines * (lines - 1)) / 2),
      '0',
    ]);
  });

  test('an enormous line is one malformed record of which the beginning is kept', async () => {
    await using fixture = await open();
    const enormous = async function* () {
      yield Buffer.from('a,b\n1,2\n3,');
      for (let at = 0; at < 100; at += 1) yield Buffer.alloc(1 << 20, 'é');
      yield Buffer.from('\n4,5\n"');
      for (let at = 0; at < 30; at += 1) yield Buffer.alloc(1 << 20, 'line\n');
      yield Buffer.from('",6\n7,8\n');
    };
    await fixture.objects.put('in.csv', enormous());
    const found = await imported(fixture.engine, csvJob({ sources: [{ key: 'in.csv' }] }));
    const inner =
      Buffer.alloc(1 << 20, 'line\n')
        .toString()
        .split('\n').length - 1;
    expect(found.map((row) => row.slice(1, 5))).toEqual([
      ['2', '1', '2', false],
      ['3', '', '', true],
      ['4', '4', '5', false],
      ['5', '', '', true],
      [String(6 + 30 * inner), '7', '8', false],
    ]);
    expect(found[1]![5]).toBe(`3,${'é'.repeat(65_534)}`);
    expect((found[3]![5] as string).length).toBe(65_536);
  }, 120_000);

  test('a long field within the limit is kept whole, one beyond it is not', async () => {
    await using fixture = await open();
    const [within, beyond] = [(4 << 20) - 2, (4 << 20) - 1];
    const key = await put(
      fixture.objects,
      'in.csv',
      `a,b\n1,${'x'.repeat(within)}\n1,${'x'.repeat(beyond)}\r\n"1",${'x'.repeat(within - 2)}\r\n"1",${'x'.repeat(within - 1)}\n`,
    );
    const result = await fixture.engine.importCsv(csvJob({ sources: [{ key }] }));
    const columns = [
      column('line_number', 'bigint'),
      column('b', 'text'),
      column('malformed', 'boolean'),
      column('raw', 'text'),
    ];
    expect(
      await rows(
        fixture.engine,
        'select line_number, length(b), malformed, length(raw) from records order by 1',
        [input('records', [result.written], columns)],
      ),
    ).toEqual([
      ['2', String(within), false, null],
      ['3', '0', true, '65536'],
      ['4', String(within - 2), false, null],
      ['5', '0', true, '65536'],
    ]);
  });

  test('new columns are taken in when allowed, empty where a file lacks them', async () => {
    await using fixture = await open();
    const first = await put(fixture.objects, '1.csv', 'a,b\n1,2\n1,2,3\n');
    const second = await put(fixture.objects, '2.csv', 'a,b,c d\n1,2,3\n1,2\n');
    const job = csvJob({ sources: [{ key: first }, { key: second }], allowNewColumns: true });
    expect(await imported(fixture.engine, job, ['a', 'b', 'c d'])).toEqual([
      [first, '2', '1', '2', '', false, null],
      [first, '3', '', '', '', true, '1,2,3'],
      [second, '2', '1', '2', '3', false, null],
      [second, '3', '', '', '', true, '1,2'],
    ]);
    await expect(fixture.engine.importCsv(csvJob({ sources: [{ key: second }] }))).rejects.toThrow(
      /2\.csv, line 1: expected the header "a", "b"; found "a", "b", "c d"/,
    );
  });

  const refused: [string, string | Uint8Array, RegExp][] = [
    ['an empty file', '', /in\.csv, line 1: expected a CSV file with a header; found an empty file/],
    ['a byte order mark and nothing else', '\ufeff', /found an empty file/],
    ['a wrong header', 'a,c\n1,2\n', /expected the header "a", "b"; found "a", "c"/],
    ['a header with too few columns', 'a\n1\n', /expected the header "a", "b"; found "a"/],
    ['a new column named like one of ours', 'a,b,RAW\n', /names of their own/],
    ['a binary file', Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 8, 0, 0x0a]), /binary file \(NUL at byte 4\)/],
    ['UTF-16', Buffer.from('\ufeffa,b\n', 'utf16le'), /UTF-16 byte order mark/],
    ['a header that is not UTF-8', Buffer.from([0x61, 0xff, 0x0a]), /not UTF-8/],
    ['a header with broken quotes', 'a,"b\n1,2\n', /misplaced or unclosed quotes/],
    ['a file without any line end', 'x'.repeat(3 << 20), /no line end/],
  ];
  for (const [what, content, message] of refused)
    test(`${what} is refused, and nothing is written`, async () => {
      await using fixture = await open();
      const good = await put(fixture.objects, 'good.csv', 'a,b\n1,2\n');
      const key = await put(fixture.objects, 'in.csv', content);
      const job = csvJob({
        sources: [{ key: good }, { key }],
        prefix: 'records/refused',
        allowNewColumns: what.includes('new column'),
      });
      const failing = fixture.engine.importCsv(job);
      await expect(failing).rejects.toThrow(TerminalError);
      await expect(failing).rejects.toThrow(message);
      expect(await keys(fixture.objects, 'records/refused')).toEqual([]);
    });

  test('a missing file is named', async () => {
    await using fixture = await open();
    await expect(fixture.engine.importCsv(csvJob({ sources: [{ key: 'none.csv' }] }))).rejects.toThrow(
      /none\.csv/,
    );
    await expect(fixture.engine.csvHeader('none.csv')).rejects.toThrow(TerminalError);
  });

  test('a file replaced while it is read fails the job, and nothing is left', async () => {
    await using fixture = await open();
    const large = (mark: string) => Buffer.from(`a,b\n${`${mark},2\n`.repeat(5_000_000)}`);
    await put(fixture.objects, 'in.csv', large('1'));
    const replacing: Promise<unknown>[] = [];
    const beat = () => {
      if (replacing.length === 0) replacing.push(put(fixture.objects, 'in.csv', large('3')));
    };
    await expect(
      fixture.engine.importCsv(csvJob({ sources: [{ key: 'in.csv' }], prefix: 'records/moved' }), { beat }),
    ).rejects.toThrow(/in\.csv: expected a file that stays as it is/);
    await Promise.all(replacing);
    expect(await keys(fixture.objects, 'records/moved')).toEqual([]);
  });

  test('an aborted import stops and leaves nothing', async () => {
    await using fixture = await open();
    await put(fixture.objects, 'in.csv', `a,b\n${'1,2\n'.repeat(5_000_000)}`);
    const abort = new AbortController();
    const beat = () => abort.abort(new Error('enough'));
    await expect(
      fixture.engine.importCsv(csvJob({ sources: [{ key: 'in.csv' }], prefix: 'records/stopped' }), {
        beat,
        signal: abort.signal,
      }),
    ).rejects.toThrow('enough');
    expect(await keys(fixture.objects, 'records/stopped')).toEqual([]);
  });
}
