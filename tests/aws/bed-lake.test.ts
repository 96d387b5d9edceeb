import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  type QueryExecution,
  type StartQueryExecutionInput,
} from '@aws-sdk/client-athena';
import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  CreateCrawlerCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  GetCrawlerCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GlueClient,
  StartCrawlerCommand,
  UpdatePartitionCommand,
  type Crawler,
} from '@aws-sdk/client-glue';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { clientOptionsOf, noBed, s3OptionsOf } from './clients.ts';
import { faultsOf } from './faults.ts';

const bed = inject('aws') ?? noBed;

async function parquetOf(select: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-bed-'));
  try {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`copy (${select}) to '${folder}/file.parquet'`);
    connection.closeSync();
    instance.closeSync();
    return await readFile(join(folder, 'file.parquet'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.skipIf(bed === noBed)(`the lake of the AWS test bed ${inject('awsMissing')}`, () => {
  const glue = new GlueClient(clientOptionsOf(bed));
  const athena = new AthenaClient(clientOptionsOf(bed));
  const s3 = new S3Client(s3OptionsOf(bed));
  const bucket = `bed-${randomUUID()}`;
  const database = `bed_${randomUUID().replaceAll('-', '_')}`;

  const put = async (Key: string, Body: string | Uint8Array): Promise<unknown> =>
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));

  async function ended(crawler: string): Promise<Crawler> {
    return await vi.waitFor(
      async () => {
        const { Crawler } = await glue.send(new GetCrawlerCommand({ Name: crawler }));
        expect(Crawler?.State).toBe('READY');
        return Crawler as Crawler;
      },
      { timeout: 30_000, interval: 50 },
    );
  }

  async function crawl(folder: string): Promise<Crawler> {
    const Name = `${bucket}-${folder}`;
    const Targets = { S3Targets: [{ Path: `s3://${bucket}/${folder}/` }] };
    await glue.send(new CreateCrawlerCommand({ Name, Role: 'glue', DatabaseName: database, Targets }));
    await glue.send(new StartCrawlerCommand({ Name }));
    return await ended(Name);
  }

  async function partitionsOf(TableName: string, Expression?: string): Promise<(string[] | undefined)[]> {
    const { Partitions = [] } = await glue.send(
      new GetPartitionsCommand({ DatabaseName: database, TableName, Expression }),
    );
    return Partitions.map(({ Values }) => Values);
  }

  async function submit(sql: string, more: Partial<StartQueryExecutionInput> = {}): Promise<string> {
    const { QueryExecutionId = '' } = await athena.send(
      new StartQueryExecutionCommand({
        QueryString: sql,
        QueryExecutionContext: { Database: database },
        ResultConfiguration: { OutputLocation: `s3://${bucket}/results/` },
        ...more,
      }),
    );
    return QueryExecutionId;
  }

  async function settled(QueryExecutionId: string): Promise<QueryExecution> {
    return await vi.waitFor(
      async () => {
        const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
        expect(QueryExecution?.Status?.State).toMatch(/SUCCEEDED|FAILED|CANCELLED/);
        return QueryExecution as QueryExecution;
      },
      { timeout: 30_000, interval: 50 },
    );
  }

  async function rowsOf(id: string): Promise<(string | undefined)[][]> {
    expect(await settled(id)).toMatchObject({ Status: { State: 'SUCCEEDED' } });
    const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }));
    return (ResultSet?.Rows ?? []).map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue));
  }

  const storage = (location: string) => ({
    Columns: [
      { Name: 'id', Type: 'bigint' },
      { Name: 'amount', Type: 'decimal(18,2)' },
      { Name: 'later', Type: 'string' },
    ],
    Location: `s3://${bucket}/${location}`,
    InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
  });

  const partition = (day: string, location: string) => ({
    Values: [day],
    StorageDescriptor: storage(location),
  });

  async function createTable(name: string): Promise<void> {
    const PartitionKeys = [{ Name: 'day', Type: 'string' }];
    const TableInput = { Name: name, PartitionKeys, StorageDescriptor: storage(`${name}/`) };
    await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput }));
  }

  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
  });

  test('a crawl of CSV makes a table with guessed types, the header and partitions', async () => {
    await put('orders/day=2026-01-01/a.csv', 'Order Id,amount,note\n1,2.50,x\n2,3,\n');
    await put('orders/day=2026-01-02/b.csv', 'Order Id,amount,note\n3,4.5,y\n');
    await put('orders/_SUCCESS', 'done');
    expect(await crawl('orders')).toMatchObject({ LastCrawl: { Status: 'SUCCEEDED' } });
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: 'orders' }));
    expect(Table).toMatchObject({
      StorageDescriptor: {
        Columns: [
          { Name: 'order_id', Type: 'bigint' },
          { Name: 'amount', Type: 'double' },
          { Name: 'note', Type: 'string' },
        ],
      },
      PartitionKeys: [{ Name: 'day', Type: 'string' }],
      Parameters: { classification: 'csv', 'skip.header.line.count': '1', delimiter: ',' },
    });
    expect(await partitionsOf('orders')).toEqual([['2026-01-01'], ['2026-01-02']]);
    const sql = `select order_id, amount, note, day from orders where day = '2026-01-01' order by 1`;
    expect(await rowsOf(await submit(sql))).toEqual([
      ['order_id', 'amount', 'note', 'day'],
      ['1', '2.5', 'x', '2026-01-01'],
      // Hive's text has no null but `\N`: nothing between two commas is an empty text.
      ['2', '3.0', '', '2026-01-01'],
    ]);
  });

  test('a crawl of Parquet takes the types of the files', async () => {
    const columns = `1::bigint as id, 2.50::decimal(18,2) as amount, date '2026-01-01' as on_day,
      timestamp '2026-01-01 00:00:00' as at, ['a'] as tags, true as ok, 1::integer as n`;
    await put('things/part.parquet', await parquetOf(`select ${columns}`));
    expect(await crawl('things')).toMatchObject({ LastCrawl: { Status: 'SUCCEEDED' } });
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: 'things' }));
    expect(Table?.StorageDescriptor?.Columns).toEqual([
      { Name: 'id', Type: 'bigint' },
      { Name: 'amount', Type: 'decimal(18,2)' },
      { Name: 'on_day', Type: 'date' },
      { Name: 'at', Type: 'timestamp' },
      { Name: 'tags', Type: 'array<string>' },
      { Name: 'ok', Type: 'boolean' },
      { Name: 'n', Type: 'int' },
    ]);
  });

  test('a crawler that runs is not started again, and one without its bucket fails', async () => {
    const Name = `held-${randomUUID()}`;
    const faults = faultsOf(bed, Name);
    await faults.hold();
    const Targets = { S3Targets: [{ Path: `s3://${bucket}/nothing/` }] };
    await glue.send(new CreateCrawlerCommand({ Name, Role: 'glue', DatabaseName: database, Targets }));
    await glue.send(new StartCrawlerCommand({ Name }));
    const again = glue.send(new StartCrawlerCommand({ Name }));
    await expect(again).rejects.toMatchObject({ name: 'CrawlerRunningException' });
    await faults.release();
    expect(await ended(Name)).toMatchObject({ LastCrawl: { Status: 'SUCCEEDED' } });
    const lost = `lost-${randomUUID()}`;
    const nowhere = { S3Targets: [{ Path: `s3://no-${randomUUID()}/x/` }] };
    await glue.send(
      new CreateCrawlerCommand({ Name: lost, Role: 'glue', DatabaseName: database, Targets: nowhere }),
    );
    await glue.send(new StartCrawlerCommand({ Name: lost }));
    expect(await ended(lost)).toMatchObject({ LastCrawl: { Status: 'FAILED' } });
  });

  test('partitions are found by expression, changed and removed, each error with its partition', async () => {
    await createTable('parts');
    const place = { DatabaseName: database, TableName: 'parts' };
    const days = Array.from({ length: 30 }, (_, index) => `2026-01-${String(index + 1).padStart(2, '0')}`);
    const PartitionInputList = days.map((day) => partition(day, `parts/${day}/`));
    const create = new BatchCreatePartitionCommand({ ...place, PartitionInputList });
    expect((await glue.send(create)).Errors).toEqual([]);
    expect((await glue.send(create)).Errors).toHaveLength(30);
    expect(await partitionsOf('parts', "day in ('2026-01-03', '2026-01-05') or day > '2026-01-29'")).toEqual([
      ['2026-01-03'],
      ['2026-01-05'],
      ['2026-01-30'],
    ]);
    const between = "(day between '2026-01-01' and '2026-01-03') and not day = '2026-01-02'";
    expect(await partitionsOf('parts', between)).toEqual([['2026-01-01'], ['2026-01-03']]);
    await expect(partitionsOf('parts', "month = '1'")).rejects.toMatchObject({
      name: 'InvalidInputException',
    });
    const PartitionInput = partition('2026-01-01', 'parts/new/');
    const update = { ...place, PartitionInput };
    await glue.send(new UpdatePartitionCommand({ ...update, PartitionValueList: ['2026-01-01'] }));
    const absent = glue.send(new UpdatePartitionCommand({ ...update, PartitionValueList: ['2027-01-01'] }));
    await expect(absent).rejects.toMatchObject({ name: 'EntityNotFoundException' });
    const PartitionsToDelete = ['2026-01-02', '2027-01-01'].map((day) => ({ Values: [day] }));
    const { Errors } = await glue.send(new BatchDeletePartitionCommand({ ...place, PartitionsToDelete }));
    expect(Errors).toMatchObject([
      { PartitionValues: ['2027-01-01'], ErrorDetail: { ErrorCode: 'EntityNotFoundException' } },
    ]);
    const tooMany = { ...place, PartitionsToDelete: days.slice(0, 26).map((day) => ({ Values: [day] })) };
    await expect(glue.send(new BatchDeletePartitionCommand(tooMany))).rejects.toMatchObject({
      name: 'InvalidInputException',
    });
  });

  test('Athena reads the registered partitions and nothing else below the location', async () => {
    await createTable('sales');
    const rows = (from: number, count: number): string =>
      `select range + ${from} as id, (range + 0.5)::decimal(18,2) as amount from range(${count})`;
    await put('sales/v1/a.parquet', await parquetOf(rows(0, 2)));
    await put('sales/v2/b.parquet', await parquetOf(rows(10, 1500)));
    await put('sales/day=2026-01-03/stray.parquet', await parquetOf(rows(100_000, 5)));
    const PartitionInputList = [partition('2026-01-01', 'sales/v1/'), partition('2026-01-02', 'sales/v2/')];
    const place = { DatabaseName: database, TableName: 'sales' };
    await glue.send(new BatchCreatePartitionCommand({ ...place, PartitionInputList }));
    const all = await submit('select count(*) as n, max(id) as top from sales');
    expect(await rowsOf(all)).toEqual([
      ['n', 'top'],
      ['1502', '1509'],
    ]);
    const sql = `select id, amount, later, day from "AwsDataCatalog"."${database}"."sales" where day = ? order by id`;
    const one = await submit(sql, { ExecutionParameters: ["'2026-01-01'"] });
    expect(await rowsOf(one)).toEqual([
      ['id', 'amount', 'later', 'day'],
      ['0', '0.50', undefined, '2026-01-01'],
      ['1', '1.50', undefined, '2026-01-01'],
    ]);
    const { Statistics, ResultConfiguration } = await settled(one);
    const whole = (await settled(await submit('select sum(id), sum(amount) from sales'))).Statistics;
    expect(Statistics?.DataScannedInBytes).toBeGreaterThan(0);
    expect(whole?.DataScannedInBytes).toBeGreaterThan(Statistics?.DataScannedInBytes ?? 0);
    expect(ResultConfiguration?.OutputLocation).toBe(`s3://${bucket}/results/${one}.csv`);
    const object = { Bucket: bucket, Key: `results/${one}.csv` };
    const { Body } = await s3.send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).toBe(
      '"id","amount","later","day"\n"0","0.50",,"2026-01-01"\n"1","1.50",,"2026-01-01"\n',
    );
    await s3.send(new DeleteObjectCommand(object));
    await expect(athena.send(new GetQueryResultsCommand({ QueryExecutionId: one }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  test('Athena pages its results, the header first, with the types of the columns', async () => {
    const id = await submit('select n, cast(n as double) as x from unnest(sequence(1, 1500)) as t(n)');
    expect(await settled(id)).toMatchObject({ Status: { State: 'SUCCEEDED' } });
    const first = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: id }));
    const NextToken = first.NextToken;
    const second = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: id, NextToken }));
    expect([first.ResultSet?.Rows?.length, second.ResultSet?.Rows?.length]).toEqual([1000, 501]);
    expect(second.NextToken).toBeUndefined();
    expect(first.ResultSet?.ResultSetMetadata?.ColumnInfo?.map(({ Name, Type }) => [Name, Type])).toEqual([
      ['n', 'bigint'],
      ['x', 'double'],
    ]);
  });

  test('one token is one query, a stopped one is cancelled, a wrong one says why', async () => {
    const mark = `mark_${randomUUID().replaceAll('-', '')}`;
    const faults = faultsOf(bed, mark);
    await faults.hold();
    const ClientRequestToken = randomUUID();
    const sql = `select 1 as ${mark}`;
    const [first, second] = await Promise.all([
      submit(sql, { ClientRequestToken }),
      submit(sql, { ClientRequestToken }),
    ]);
    expect(second).toBe(first);
    await expect(submit('select 2', { ClientRequestToken })).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: first }));
    expect(await settled(first)).toMatchObject({ Status: { State: 'CANCELLED' } });
    await faults.release();
    expect(await settled(await submit('select x from no_such_table'))).toMatchObject({
      Status: { State: 'FAILED', AthenaError: { ErrorCategory: 2, Retryable: false } },
    });
    await expect(submit('selec 1')).rejects.toMatchObject({
      name: 'InvalidRequestException',
      AthenaErrorCode: 'MALFORMED_QUERY',
    });
  });
});
