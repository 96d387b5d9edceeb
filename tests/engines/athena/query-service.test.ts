import { afterAll, describe, expect, inject, test } from 'vitest';
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { Table } from '../../../dag/relation.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import { noBed, s3OptionsOf } from '../../aws/clients.ts';
import { prunings, queryServiceConformance } from '../../ports/query-service.case.ts';
import { type OpenQueryService, read } from '../../ports/query-service/fixture.ts';
import { awsEndpoint } from '../aws/endpoint.ts';
import { type Answer, openInterposer, refused } from '../aws/interposer.ts';
import { openedAthena } from './opened.ts';

const bed = inject('aws') ?? noBed;

const numbers: Table = {
  name: 'test.numbers',
  zone: 'gold',
  columns: [{ name: 'n', type: 'bigint', nullable: false }],
  partitionBy: [],
};

/** Answers of one state of a query, as Athena describes it. */
function ending(status: object, scanned = 0): Answer {
  return (body) => ({
    status: 200,
    body: {
      QueryExecution: {
        QueryExecutionId: body['QueryExecutionId'],
        Status: status,
        Statistics: { DataScannedInBytes: scanned },
      },
    },
  });
}

/** One bucket and catalog for the whole suite, in which a table is written again only when it is to hold something else. */
function shared(): OpenQueryService {
  const published = new Map<string, string>();
  let athena: ReturnType<typeof openedAthena> | undefined;
  afterAll(async () => (await athena)?.[Symbol.asyncDispose]());
  return async () => {
    const { service, publish } = await (athena ??= openedAthena());
    return {
      service,
      publish: async (table, select) => {
        if (published.get(table.name) !== select) await publish(table, select);
        published.set(table.name, select);
      },
      [Symbol.asyncDispose]: async () => {},
    };
  };
}

async function opened(answers: Readonly<Record<string, Answer>>, options = {}) {
  const interposer = await openInterposer(await awsEndpoint(), answers);
  const athena = await openedAthena({ endpoint: interposer.endpoint, ...options });
  return {
    ...athena,
    interposer,
    async [Symbol.asyncDispose]() {
      await athena[Symbol.asyncDispose]();
      await interposer[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(bed === noBed)(`Athena ${inject('awsMissing')}`, () => {
  queryServiceConformance('the Athena query service', shared(), {
    skip: [
      {
        reason: 'Athena does not tell which partitions it read',
        tests: [
          ...prunings.map(
            ([where, count]) => `where ${where} reads ${count} of 20 partitions and gives the same rows`,
          ),
          'a condition on the outer side of a join prunes nothing it would change',
        ],
      },
      {
        reason: 'the test is DuckDB’s SQL; of an array Athena does not tell what is in it',
        tests: ['values are text that loses no digit, but for null, booleans and text lists'],
      },
      {
        reason: 'the test is DuckDB’s SQL; the same is tested here with a query that does not end',
        tests: ['an aborted query stops with the reason'],
      },
      {
        reason: 'Athena writes the whole result before it gives the first row',
        tests: [
          'rows are streamed, and a reader may leave',
          'many results left unread do not keep others waiting once their callers give up',
        ],
      },
      {
        reason: 'the emulator’s messages are DuckDB’s; those of Athena are tested here',
        tests: ['a mistake is shown with its line and column'],
      },
    ],
  });

  test('a result is read page by page, under the names and types of its columns', async () => {
    await using fixture = await opened({});
    await fixture.publish(numbers, 'select range as n from range(2500)');
    const result = await fixture.service.query('select n from test.numbers order by n');
    expect(result.columns).toEqual([{ name: 'n', type: 'bigint' }]);
    const pages = () => fixture.interposer.calls.filter(({ action }) => action === 'GetQueryResults').length;
    expect(pages()).toBe(1);
    const rows = await read(result);
    expect(rows).toEqual(Array.from({ length: 2500 }, (_, n) => [String(n)]));
    expect(pages()).toBe(3);
    expect(result.bytesScanned).toBeGreaterThan(0);
  });

  test('a query is started once, with a token and in the database of its tables', async () => {
    let lost = 1;
    await using fixture = await opened({
      StartQueryExecution: async () =>
        (lost -= 1) >= 0 ? refused('InternalServerException', 'lost', 500) : undefined,
    });
    await fixture.publish(numbers, 'select 1 as n');
    expect(await read(await fixture.service.query('select n from test.numbers'))).toEqual([['1']]);
    const starts = fixture.interposer.calls.filter(({ action }) => action === 'StartQueryExecution');
    expect(starts).toHaveLength(2);
    expect(starts[0]!.body).toEqual(starts[1]!.body);
    expect(String(starts[0]!.body['ClientRequestToken']).length).toBeGreaterThanOrEqual(32);
    expect(starts[0]!.body).toMatchObject({
      WorkGroup: 'primary',
      QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: `${fixture.prefix}test` },
    });
  });

  test('who gives up stops the query', async () => {
    await using fixture = await opened({ GetQueryExecution: ending({ State: 'RUNNING' }) });
    const abort = new AbortController();
    const beat = () => abort.abort(new Error('the reader left'));
    await expect(fixture.service.query('select 1', { signal: abort.signal, beat })).rejects.toThrow(
      'the reader left',
    );
    const [start, stop] = ['StartQueryExecution', 'StopQueryExecution'].map((name) =>
      fixture.interposer.calls.filter(({ action }) => action === name),
    );
    expect(start).toHaveLength(1);
    expect(stop).toHaveLength(1);
  });

  const endings: readonly (readonly [string, object, number, unknown, RegExp])[] = [
    [
      'stopped by somebody',
      { State: 'CANCELLED', StateChangeReason: 'Query was cancelled by user' },
      0,
      TerminalError,
      /somebody stopped it \(Query was cancelled by user\)/,
    ],
    [
      'over the workgroup’s limit',
      { State: 'CANCELLED', StateChangeReason: 'Query cancelled! : Bytes scanned limit was exceeded' },
      123_456,
      TerminalError,
      /123456 bytes were read when it was stopped\. Name the partitions/,
    ],
    [
      'wrong',
      {
        State: 'FAILED',
        AthenaError: {
          ErrorCategory: 2,
          ErrorType: 1003,
          ErrorMessage: `COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved`,
        },
      },
      0,
      TerminalError,
      /line 1, column 8: .*Column 'x' cannot be resolved/,
    ],
    [
      'not permitted',
      {
        State: 'FAILED',
        AthenaError: { ErrorCategory: 2, ErrorMessage: 'Access denied when writing output to url' },
      },
      0,
      TerminalError,
      /Grant the role/,
    ],
    [
      'failed by the service',
      { State: 'FAILED', AthenaError: { ErrorCategory: 1, ErrorMessage: 'GENERIC_INTERNAL_ERROR: sorry' } },
      0,
      RetryableError,
      /sorry.*may be asked again/,
    ],
    [
      'out of resources',
      { State: 'FAILED', StateChangeReason: 'Query exhausted resources at this scale factor' },
      0,
      RetryableError,
      /exhausted resources/,
    ],
    [
      'failed by the service after much was read',
      { State: 'FAILED', AthenaError: { ErrorCategory: 1, Retryable: true, ErrorMessage: 'sorry' } },
      5 * 2 ** 30,
      TerminalError,
      /after 5368709120 bytes were read.*without being asked for/,
    ],
    ['failed without a word', { State: 'FAILED' }, 0, TerminalError, /no reason given/],
  ];
  for (const [name, status, scanned, kind, message] of endings)
    test(`a query that is ${name}`, async () => {
      await using fixture = await opened({ GetQueryExecution: ending(status, scanned) });
      const asking = fixture.service.query('select 1');
      await expect(asking).rejects.toThrow(kind as typeof Error);
      await expect(asking).rejects.toThrow(message);
      const starts = fixture.interposer.calls.filter(({ action }) => action === 'StartQueryExecution');
      expect(starts).toHaveLength(1);
    });

  test('a query that reads more than it may is stopped', async () => {
    await using fixture = await opened(
      { GetQueryExecution: ending({ State: 'RUNNING' }, 2000) },
      { maxScannedBytes: 1000 },
    );
    await expect(fixture.service.query('select 1')).rejects.toThrow(
      /at most 1000 bytes; found that 2000 bytes/,
    );
    expect(fixture.interposer.calls.map(({ action }) => action)).toContain('StopQueryExecution');
  });

  test('a mistake that Athena finds before it runs is shown where it is in the SQL that was given', async () => {
    await using fixture = await opened({
      StartQueryExecution: (body) => {
        const column = String(body['QueryString']).indexOf('wher') + 1;
        return refused(
          'InvalidRequestException',
          `line 1:${column}: mismatched input 'wher'. Expecting: ...`,
        );
      },
    });
    await fixture.publish(numbers, 'select 1 as n');
    await expect(fixture.service.query('select n from test.numbers wher n = 1')).rejects.toThrow(
      /line 1, column 28: expected SQL that Athena accepts; found mismatched input 'wher'/,
    );
  });

  test('a result that is not there any more is told apart from a service that is busy', async () => {
    let answer = refused('InvalidRequestException', 'Could not find results');
    await using fixture = await opened({ GetQueryResults: () => answer });
    const gone = fixture.service.query('select 1');
    await expect(gone).rejects.toThrow(TerminalError);
    await expect(gone).rejects.toThrow(
      /Could not find results\. The result was removed or has expired: ask again/,
    );
    answer = refused('TooManyRequestsException', 'Rate exceeded');
    await expect(fixture.service.query('select 1')).rejects.toThrow(RetryableError);
  });

  test('each partition shows the old version, then the new, never half', async () => {
    await using fixture = await openedAthena();
    await fixture.publish(numbers, 'select range * 0 + 1 as n from range(1000)');
    const query = async () =>
      (
        await read(await fixture.service.query('select count(*), min(n), max(n) from test.numbers'))
      )[0]!.join();
    const seen = [await query()];
    const publishing = fixture.publish(numbers, 'select range * 0 + 2 as n from range(500)');
    for (let asked = 0; asked < 6; asked += 1) seen.push(await query());
    await publishing;
    seen.push(await query());
    expect(new Set(seen)).toEqual(new Set(['1000,1,1', '500,2,2']));
    expect(seen.at(-1)).toBe('500,2,2');
  });
});

test.skipIf(bed === noBed)('a result removed from its bucket is said to be so', async () => {
  await using fixture = await openedAthena();
  await fixture.publish(numbers, 'select range as n from range(2500)');
  const result = await fixture.service.query('select n from test.numbers order by n');
  const s3 = new S3Client(s3OptionsOf(bed));
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: fixture.bucket, Prefix: 'results/' }),
  );
  expect(Contents.length).toBeGreaterThan(0);
  await s3.send(
    new DeleteObjectsCommand({
      Bucket: fixture.bucket,
      Delete: { Objects: Contents.map(({ Key }) => ({ Key })) },
    }),
  );
  s3.destroy();
  await expect(read(result)).rejects.toThrow(/its result, where Athena wrote it/);
});
