import { randomUUID } from 'node:crypto';
import { CreatePartitionCommand, CreateTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, inject, test, vi } from 'vitest';
import { openGlueCrawler } from '../../../engines/glue/raw-crawler.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import { openS3ObjectStore } from '../../../engines/s3/object-store.ts';
import { noBed, s3OptionsOf } from '../../aws/clients.ts';
import { emulated } from '../../aws/emulated.ts';
import { awsEndpoint } from '../aws/endpoint.ts';
import { openInterposer, refused, type Answer, type Reply } from '../aws/interposer.ts';

const bed = inject('aws') ?? noBed;
const ok = (body: unknown = {}): Reply => ({ status: 200, body });

/** Glue's crawlers by the book, on a clock that stands still until it is told. Crawls end when told. */
class ScriptedCrawlers {
  seconds = 1_800_000_000;
  /** Starts of crawls, in order. */
  readonly starts: number[] = [];
  readonly crawlers = new Map<string, Record<string, unknown>>();

  readonly answers: Readonly<Record<string, Answer>> = {
    CreateCrawler: (body) => {
      this.crawlers.set(body['Name'] as string, { ...body, State: 'READY' });
      return ok();
    },
    GetCrawler: ({ Name }) => {
      const Crawler = this.crawlers.get(Name as string);
      return Crawler === undefined ? refused('EntityNotFoundException') : ok({ Crawler });
    },
    StartCrawler: ({ Name }) => {
      const crawler = this.crawlers.get(Name as string)!;
      if (crawler['State'] !== 'READY')
        return {
          ...refused('CrawlerRunningException', 'already running'),
          headers: { date: new Date(this.seconds * 1000).toUTCString() },
        };
      this.starts.push(this.seconds);
      crawler['State'] = 'RUNNING';
      return ok();
    },
    StopCrawler: ({ Name }) => {
      if (this.crawlers.get(Name as string)!['State'] === 'READY')
        return refused('CrawlerNotRunningException');
      this.end('CANCELLED');
      return ok();
    },
  };

  end(Status = 'SUCCEEDED', ErrorMessage?: string): void {
    for (const crawler of this.crawlers.values()) {
      crawler['State'] = 'READY';
      crawler['LastCrawl'] = { Status, ErrorMessage, StartTime: this.starts.at(-1) };
    }
  }
}

async function opened() {
  const scripted = new ScriptedCrawlers();
  const interposer = await openInterposer(await awsEndpoint(), scripted.answers);
  const database = `raw_${randomUUID().slice(0, 8)}`;
  const crawler = await openGlueCrawler({
    objects: { location: (key) => `s3://lake/${key}` },
    prefix: 'ingot-',
    database,
    role: 'crawls',
    endpoint: interposer.endpoint,
    region: 'us-east-1',
  });
  return {
    scripted,
    crawler,
    database,
    interposer,
    async [Symbol.asyncDispose]() {
      await crawler.close();
      await interposer[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(bed === noBed)(`Glue crawlers ${inject('awsMissing')}`, () => {
  test('a crawler is made when a folder is crawled first, and looks at everything', async () => {
    await using fixture = await opened();
    const job = await fixture.crawler.start('raw/sales');
    expect(job).toMatchObject({
      service: 'glue-crawler',
      label: expect.stringContaining('ingot-raw-sales-'),
    });
    const [made] = fixture.scripted.crawlers.values();
    expect(made).toMatchObject({
      Role: 'crawls',
      DatabaseName: fixture.database,
      Targets: { S3Targets: [{ Path: 's3://lake/raw/sales/' }] },
      RecrawlPolicy: { RecrawlBehavior: 'CRAWL_EVERYTHING' },
      SchemaChangePolicy: { UpdateBehavior: 'UPDATE_IN_DATABASE', DeleteBehavior: 'LOG' },
    });
    expect(await fixture.crawler.look(job)).toMatchObject({ state: 'running' });
    fixture.scripted.end();
    expect(await fixture.crawler.look(job)).toMatchObject({ state: 'ended', note: 'SUCCEEDED' });
    fixture.scripted.seconds += 100;
    const again = await fixture.crawler.start('raw/sales/');
    expect(fixture.scripted.crawlers.size).toBe(1);
    expect(await fixture.crawler.look(again)).toMatchObject({ state: 'running' });
    expect(await fixture.crawler.look(job)).toMatchObject({ state: 'running' });
    await fixture.crawler.start('raw/other');
    expect(fixture.scripted.crawlers.size).toBe(2);
  });

  test('who comes while a crawl runs waits for one that began after', async () => {
    await using fixture = await opened();
    const { crawler, scripted } = fixture;
    const first = await crawler.start('raw/sales');
    scripted.seconds += 10;
    const second = await crawler.start('raw/sales');
    const third = await crawler.start('raw/sales');
    expect(await crawler.look(second)).toMatchObject({ state: 'running' });
    scripted.end();
    scripted.seconds += 10;
    expect(await crawler.look(first)).toMatchObject({ state: 'ended' });
    expect(await crawler.look(second)).toMatchObject({ state: 'running' });
    expect(await crawler.look(third)).toMatchObject({ state: 'running' });
    expect(scripted.starts).toHaveLength(2);
    scripted.end();
    for (const job of [first, second, third])
      expect(await crawler.look(job)).toMatchObject({ state: 'ended' });
    expect(scripted.starts).toHaveLength(2);
  });

  test('a crawl that began in the second in which it was asked for may have begun before, and is not taken', async () => {
    await using fixture = await opened();
    const { crawler, scripted } = fixture;
    await crawler.start('raw/sales');
    const second = await crawler.start('raw/sales');
    scripted.end();
    expect(await crawler.look(second)).toMatchObject({ state: 'running' });
    expect(scripted.starts).toHaveLength(2);
  });

  test('what a crawler made is its tables below the folder, with keys and partitions', async () => {
    await using fixture = await opened();
    const { crawler, scripted, database } = fixture;
    const job = await crawler.start('raw/sales');
    scripted.end();
    const glue = new GlueClient({ endpoint: await awsEndpoint(), region: 'us-east-1' });
    const storage = (Location: string) => ({
      Location,
      Columns: [
        { Name: 'id', Type: 'bigint' },
        { Name: 'price', Type: 'double' },
        { Name: 'more', Type: 'struct<a:int>' },
      ],
    });
    const table = { Name: 'sales', PartitionKeys: [{ Name: 'day', Type: 'string' }] };
    const inputs = [
      { ...table, StorageDescriptor: storage('s3://lake/raw/sales/') },
      { Name: 'sales_2', StorageDescriptor: storage('s3://lake/raw/sales_2/') },
    ];
    for (const TableInput of inputs)
      await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput }));
    for (const day of ['2026-01-01', '2026-01-02'])
      await glue.send(
        new CreatePartitionCommand({
          DatabaseName: database,
          TableName: 'sales',
          PartitionInput: { Values: [day] },
        }),
      );
    glue.destroy();
    expect(await crawler.collect(job)).toEqual([
      {
        name: 'sales',
        columns: [
          { name: 'id', type: 'bigint', nullable: true },
          { name: 'price', type: 'double', nullable: true },
          { name: 'more', type: 'text', nullable: true },
          { name: 'day', type: 'text', nullable: true },
        ],
        partitionBy: ['day'],
        partitions: 2,
      },
    ]);
  });

  const failures: readonly (readonly [string, string | undefined, unknown, RegExp])[] = [
    [
      'FAILED',
      'Access Denied (Service: Amazon S3)',
      TerminalError,
      /FAILED: Access Denied.*what its role may read/,
    ],
    ['FAILED', 'Internal Service Exception', RetryableError, /crawled again/],
    ['CANCELLED', undefined, RetryableError, /CANCELLED/],
  ];
  for (const [status, message, kind, text] of failures)
    test(`a crawl that ended ${status} ${message ?? ''} is told with its own words`, async () => {
      await using fixture = await opened();
      const job = await fixture.crawler.start('raw/sales');
      fixture.scripted.end(status, message);
      expect(await fixture.crawler.look(job)).toMatchObject({ state: 'ended' });
      const collecting = fixture.crawler.collect(job);
      await expect(collecting).rejects.toThrow(kind as typeof Error);
      await expect(collecting).rejects.toThrow(text);
    });

  test('stopping ends the crawl, and one that has ended is left alone', async () => {
    await using fixture = await opened();
    const job = await fixture.crawler.start('raw/sales');
    await fixture.crawler.stop(job);
    await fixture.crawler.stop(job);
    expect(await fixture.crawler.look(job)).toMatchObject({ state: 'ended', note: 'CANCELLED' });
    fixture.scripted.crawlers.clear();
    expect(await fixture.crawler.look(job)).toMatchObject({ state: 'ended' });
  });

  test('a folder of CSV files becomes a table with their columns and a partition per date', async () => {
    const { endpoint, region } = emulated(bed);
    const bucket = `crawl-${randomUUID()}`;
    const s3 = new S3Client(s3OptionsOf(bed));
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    s3.destroy();
    const objects = await openS3ObjectStore({ bucket, endpoint, region });
    const database = `raw_${randomUUID().slice(0, 8)}`;
    const crawler = await openGlueCrawler({
      objects,
      prefix: 'ingot-',
      database,
      role: 'crawls',
      endpoint,
      region,
    });
    const deliver = (day: string) =>
      objects.put(`raw/sales/day=${day}/a.csv`, Buffer.from('id,price,shop\n1,10.50,north\n2,20.25,south\n'));
    await deliver('2026-01-01');
    const crawled = async () => {
      const job = await crawler.start('raw/sales');
      await vi.waitFor(async () => expect((await crawler.look(job)).state).toBe('ended'), {
        timeout: 30_000,
      });
      return crawler.collect(job);
    };
    const [first, ...others] = await crawled();
    expect(others).toEqual([]);
    expect(first!.columns.map(({ name }) => name)).toEqual(['id', 'price', 'shop', 'day']);
    expect(first).toMatchObject({ partitionBy: ['day'], partitions: 1 });
    await deliver('2026-01-02');
    expect(await crawled()).toMatchObject([{ name: first!.name, partitions: 2 }]);
    await crawler.close();
    await objects.close();
  });
});
