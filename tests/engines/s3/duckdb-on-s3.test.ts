import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Table } from '../../../dag/relation.ts';
import { Database } from '../../../engines/duckdb/database.ts';
import type { S3Access } from '../../../engines/duckdb/s3-access.ts';
import { Session } from '../../../engines/duckdb/session.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import { column, input, job, keys, output, rows, write } from '../../ports/sql-engine/fixture.ts';
import { read } from '../../ports/query-service/fixture.ts';
import { openedQueries } from '../duckdb/published-tables.ts';
import { testCredentials } from '../../aws/clients.ts';
import { describeWithBed, emulator } from './emulated-bucket.ts';
import { type Fault, openFaultProxy, type Seen } from './fault-proxy.ts';
import { openedEngineOnS3 } from './opened.ts';

const columns = [column('n', 'bigint'), column('p', 'text')];

/** An engine that reaches S3 through a proxy: DuckDB unless told otherwise, or what stores its files. */
async function openedBehindProxy({
  behind = 'DuckDB',
  access = {},
}: { readonly behind?: 'DuckDB' | 'store'; readonly access?: Partial<S3Access> } = {}) {
  const proxy = await openFaultProxy(emulator.endpoint);
  const { endpoint } = proxy;
  const opened = await openedEngineOnS3(
    behind === 'store' ? { access, store: { endpoint } } : { access: { endpoint, ...access } },
  );
  return {
    ...opened,
    proxy,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** What COPY or a spilling statement has left on this machine's disk. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const accessKey = ({ headers }: Seen) => /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1];
const isPart = ({ method, url }: Seen) => method === 'PUT' && url.includes('partNumber=');

describeWithBed('DuckDB on S3', () => {
  test('keys of written files are the keys of the store, whatever the partition values hold', async () => {
    await using opened = await openedEngineOnS3();
    const values = ['a b', 'a+b', 'a=b', 'a%20b', 'a/b', 'é日🙂', '?#&', '*[1]', "it's", '..'];
    const list = values.map((value) => `('${value.replaceAll("'", "''")}')`).join(', ');
    const written = await write(
      opened.engine,
      output(`select i as n, p from range(3) r(i), (values ${list}) v(p)`, columns, {
        prefix: 'out/of the way+1',
        partitionBy: ['p'],
      }),
    );
    const files = written.flatMap((partition) => partition.files);
    expect(files.map(({ key }) => key).toSorted()).toEqual((await keys(opened.objects, 'out/')).toSorted());
    for (const { key, bytes } of files) expect(await opened.objects.head(key)).toMatchObject({ bytes });
    expect(new Set(written.map(({ partition }) => partition['p']))).toEqual(new Set(values));
    expect(
      await rows(opened.engine, 'select p, count(*) as c from t group by p order by p', [
        input('t', written, columns, ['p']),
      ]),
    ).toEqual(values.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((p) => [p, '3']));
  });

  test('a Parquet file with a name full of patterns is read as that file', async () => {
    await using opened = await openedEngineOnS3();
    const [written] = await write(opened.engine, output(`select 1 as n, 'x' as p`, columns));
    for (const name of ['in/q?x=1.parquet', 'in/s*[1].parquet', 'in/a b+c%20#ü.parquet']) {
      await opened.objects.copy(written!.files[0]!.key, name);
      expect(await opened.engine.parquetSchema(name)).toHaveLength(2);
      const table = { name: 't', columns, partitionBy: [], files: [{ key: name, partition: {} }] };
      expect(await rows(opened.engine, 'select n, p from t', [table])).toEqual([['1', 'x']]);
    }
  });

  const many = `select i as n, md5(i::varchar) as p from range(600000) r(i)`;
  const denied = { status: 403, code: 'AccessDenied' } as const;

  test('DuckDB itself writes nothing there, and what waited for the store is gone from the disk', async () => {
    await using opened = await openedBehindProxy();
    await write(opened.engine, output(many, columns, { prefix: 'out/g' }));
    expect(opened.proxy.seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
    expect(await keys(opened.objects, 'out/g')).not.toEqual([]);
    expect(await filesBelow(opened.spillFolder)).toEqual([]);
  });

  test.each<[string, (seen: Seen, part: number) => boolean]>([
    ['while its parts go up', (seen, part) => isPart(seen) && part > 1],
    ['before its first part goes up', ({ method, url }) => method === 'POST' && url.includes('uploads')],
  ])('a job that fails %s leaves neither an object nor an upload, here or there', async (_, fails) => {
    await using opened = await openedBehindProxy({ behind: 'store' });
    let [parts, refused] = [0, 0];
    opened.proxy.fault = (seen) => {
      if (isPart(seen)) parts += 1;
      if (!fails(seen, parts)) return undefined;
      refused += 1;
      return denied;
    };
    const writing = opened.engine.run(
      job({
        outputs: [
          output(many, columns, { prefix: 'out/f' }),
          output(`select 1 as n, '2' as p`, columns, { name: 'other' }),
        ],
      }),
    );
    await expect(writing).rejects.toThrow(/s3:PutObject/);
    expect(refused).toBeGreaterThan(0);
    expect(await keys(opened.objects, 'out/f')).toEqual([]);
    expect(await opened.objects.abortUploads('')).toBe(0);
    expect(await filesBelow(opened.spillFolder)).toEqual([]);
  });

  test('a job that is stopped while its files go up ends at once', async () => {
    await using opened = await openedBehindProxy({ behind: 'store' });
    const abort = new AbortController();
    opened.proxy.fault = (seen) => {
      if (!isPart(seen)) return undefined;
      abort.abort(new Error('stopped'));
      return 'silence';
    };
    const writing = opened.engine.run(job({ outputs: [output(many, columns, { prefix: 'out/f' })] }), abort);
    await expect(writing).rejects.toThrow('stopped');
    opened.proxy.fault = () => undefined;
    expect(await keys(opened.objects, 'out/f')).toEqual([]);
    expect(await filesBelow(opened.spillFolder)).toEqual([]);
  });

  test('a job whose statement fails midway leaves no half file', async () => {
    await using opened = await openedEngineOnS3();
    const select = `select i as n, case when i = 590000 then error('broke off') else md5(i::varchar) end as p from range(600000) r(i)`;
    await expect(
      opened.engine.run(job({ outputs: [output(select, columns, { prefix: 'out/h' })] })),
    ).rejects.toThrow('broke off');
    expect(await keys(opened.objects, 'out/h')).toEqual([]);
    expect(await opened.objects.abortUploads('')).toBe(0);
  });

  test('credentials are replaced when the provider has newer ones', async () => {
    let current = 'first';
    const credentials = async () => ({
      ...testCredentials,
      accessKeyId: current,
      sessionToken: `of ${current}`,
    });
    await using opened = await openedBehindProxy({ access: { credentials } });
    const written = await write(opened.engine, output(`select 1 as n, 'x' as p`, columns));
    const reading = () => rows(opened.engine, 'select n from t', [input('t', written, columns)]);
    await reading();
    expect(new Set(opened.proxy.seen.map(accessKey))).toEqual(new Set(['first']));
    opened.proxy.seen.splice(0);
    current = 'second';
    await reading();
    expect(new Set(opened.proxy.seen.map(accessKey))).toEqual(new Set(['second']));
    expect(opened.proxy.seen[0]!.headers['x-amz-security-token']).toBe('of second');
  });

  test('no statement shows credentials: neither those in use nor those of the process', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'of-the-process';
    await using opened = await openedEngineOnS3({
      access: {
        credentials: async () => ({ ...testCredentials, secretAccessKey: 'in-use', sessionToken: 'token' }),
      },
    });
    const shown = await rows(
      opened.engine,
      `select secret_string, current_setting('s3_secret_access_key'), current_setting('s3_access_key_id'),
       current_setting('s3_session_token'), getvariable('x') from duckdb_secrets()`,
    );
    expect(shown).toHaveLength(1);
    const settings = await rows(opened.engine, 'select name, value from duckdb_settings()');
    const everything = JSON.stringify([shown, settings]);
    expect(everything).not.toMatch(/in-use|of-the-process|"token"/);
    await expect(rows(opened.engine, 'from duckdb_secrets(redact = false)')).rejects.toThrow(/unredacted/);
  });

  test('a provider whose credentials DuckDB cannot take does not show them', async () => {
    const opening = openedEngineOnS3({
      access: { credentials: async () => ({ ...testCredentials, secretAccessKey: 'top\0secret' }) },
    });
    await expect(opening.then((opened) => opened[Symbol.asyncDispose]())).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });

  const answers: [string, Fault, typeof TerminalError | typeof RetryableError, RegExp][] = [
    ['no permission', { status: 403, code: 'AccessDenied' }, TerminalError, /s3:GetObject/],
    ['no such file', { status: 404, code: 'NoSuchKey' }, TerminalError, /run the task that wrote it again/],
    ['another region', { status: 301, code: 'PermanentRedirect' }, TerminalError, /set AWS_REGION/],
    ['a session that ended', { status: 400, code: 'ExpiredToken' }, RetryableError, /fresh/],
    ['SlowDown', { status: 503, code: 'SlowDown' }, RetryableError, /tried again/],
    ['a connection reset', 'reset', RetryableError, /tried again/],
  ];
  test.each(answers)('DuckDB meets %s', async (_, fault, kind, words) => {
    await using opened = await openedBehindProxy();
    const written = await write(opened.engine, output(`select 1 as n, 'x' as p`, columns));
    opened.proxy.fault = () => fault;
    const reading = rows(opened.engine, 'select n from t', [input('t', written, columns)]);
    await expect(reading).rejects.toThrow(kind);
    await expect(reading).rejects.toThrow(words);
  });

  test('what passes after a few tries is not noticed', async () => {
    await using opened = await openedBehindProxy();
    const written = await write(opened.engine, output(`select i as n, 'x' as p from range(9) r(i)`, columns));
    let left = 2;
    opened.proxy.fault = () => ((left -= 1) >= 0 ? { status: 503, code: 'SlowDown' } : undefined);
    expect(await rows(opened.engine, 'select count(*) as c from t', [input('t', written, columns)])).toEqual([
      ['9'],
    ]);
    expect(left).toBeLessThan(0);
  });

  test('an extension that is not there is named, with what to do', async () => {
    await expect(
      openedEngineOnS3({ access: { extension: '/nowhere/httpfs.duckdb_extension' } }),
    ).rejects.toThrow(/\/nowhere\/httpfs.*expected DuckDB's extension httpfs.*configure the path/s);
  });

  test('a query asks S3 for the files of the partitions it needs only, and sees no credentials', async () => {
    await using opened = await openedBehindProxy();
    const queries = await openedQueries({ ...opened, [Symbol.asyncDispose]: async () => undefined });
    const table: Table = { name: 't.a', zone: 'gold', columns, partitionBy: ['p'] };
    await queries.publish(
      table,
      `select i as n, case when i < 5 then 'x y' else 'z+' end as p from range(10) r(i)`,
    );
    opened.proxy.seen.splice(0);
    const result = await queries.service.query(
      `select sum(n), current_setting('s3_secret_access_key') from t.a where p = 'z+'`,
    );
    expect(await read(result)).toEqual([['35', null]]);
    const asked = opened.proxy.seen.map(({ url }) => decodeURIComponent(url).split('/').slice(-2).join('/'));
    expect(new Set(asked)).toEqual(new Set(['p=z%2B/data_0.parquet']));
    await queries[Symbol.asyncDispose]();
  });

  test("DuckDB's list of allowed paths holds for addresses of S3, to the letter", async () => {
    await using opened = await openedEngineOnS3();
    const [written] = await write(opened.engine, output(`select 1 as n, 'x' as p`, columns));
    const [allowed, other] = ['in/a b+1.parquet', 'in/b.parquet'];
    for (const key of [allowed!, other!]) await opened.objects.copy(written!.files[0]!.key, key);
    const { s3, spillFolder } = opened;
    const database = await Database.open({ memoryLimitBytes: 1 << 28, spillFolder, s3, locked: false });
    const session = await Session.open(database, 'a query');
    const run = (sql: string) => session.rows({ label: 'statement', sql });
    await run(`SET allowed_paths = ['${opened.objects.location(allowed!)}']`);
    await run('SET enable_external_access = false');
    await run('SET lock_configuration = true');
    const reading = (key: string) => run(`select n from '${opened.objects.location('')}${key}'`);
    expect(await reading(allowed!)).toEqual([{ n: '1' }]);
    for (const key of [
      other!,
      `in/../${other}`,
      `${allowed}?versionId=1`,
      'in/*.parquet',
      '../elsewhere.parquet',
    ])
      await expect(reading(key), key).rejects.toThrow(/disabled by configuration/);
    session[Symbol.dispose]();
    await database.close();
  });
});
