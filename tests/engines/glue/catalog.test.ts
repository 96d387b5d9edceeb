import {
  CreateTableCommand,
  DeleteTableCommand,
  GetTableCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { expect, inject, test } from 'vitest';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import type { Table } from '../../../dag/relation.ts';
import { awsEndpoint } from '../aws/endpoint.ts';
import { openInterposer, refused, type Reply } from '../aws/interposer.ts';
import { openFollowed } from './catalog-fixture.ts';
import { noBed } from '../../aws/clients.ts';

// `awsMissing` of the test run says why there is none.
const bed = inject('aws') ?? noBed;

const curated: Table = {
  name: 'shop.curated',
  zone: 'silver',
  description: 'Payments that passed every rule.',
  columns: [
    { name: 'day', type: 'date', nullable: false },
    { name: 'id', type: 'bigint', nullable: false, description: 'Of the source.' },
    { name: 'amount', type: 'decimal(18,2)', nullable: true },
    { name: 'tags', type: 'text[]', nullable: true },
    { name: 'paid_at', type: 'timestamp', nullable: true },
    { name: 'kind', type: 'text', nullable: false },
  ],
  partitionBy: ['day', 'kind'],
};
const rates: Table = {
  name: 'shop.rates',
  zone: 'gold',
  columns: [{ name: 'currency', type: 'text', nullable: false }],
  partitionBy: [],
};
const delivered: Table = { ...rates, name: 'shop.files', zone: 'raw' };

const days = (count: number, kind = 'a') =>
  Array.from({ length: count }, (_, at) => ({
    day: new Date(Date.UTC(2026, 0, 1 + at)).toISOString().slice(0, 10),
    kind,
  }));

test.skipIf(bed === noBed)(
  'a table is made with its types and keys, and its partitions at the folders of their files',
  async () => {
    await using fixture = await openFollowed();
    const { catalog, ledger, glue, prefix } = fixture;
    await fixture.publish(curated, [...days(2), { day: '2026-01-01', kind: 'b c/d%' }]);
    await fixture.publish(rates, [{}]);
    const changes = await catalog.sync();
    expect(changes.map(({ table, partition, action }) => [table, partition, action])).toEqual([
      ['shop.curated', null, 'create'],
      ['shop.curated', 'day=2026-01-01/kind=a', 'create'],
      ['shop.curated', 'day=2026-01-01/kind=b%20c%2Fd%25', 'create'],
      ['shop.curated', 'day=2026-01-02/kind=a', 'create'],
      ['shop.rates', null, 'create'],
    ]);
    const { Table: made } = await glue.send(
      new GetTableCommand({ DatabaseName: `${prefix}shop`, Name: 'curated' }),
    );
    expect(made!.StorageDescriptor!.Columns!.map(({ Name, Type }) => [Name, Type])).toEqual([
      ['id', 'bigint'],
      ['amount', 'decimal(18,2)'],
      ['tags', 'array<string>'],
      ['paid_at', 'timestamp'],
    ]);
    expect(made!.PartitionKeys!.map(({ Name, Type }) => [Name, Type])).toEqual([
      ['day', 'date'],
      ['kind', 'string'],
    ]);
    expect(made).toMatchObject({ Description: curated.description, TableType: 'EXTERNAL_TABLE' });
    for (const table of [curated, rates])
      expect(await fixture.shown(table)).toEqual(await fixture.expected(table));
    expect(await ledger.behind(catalog.name)).toEqual([]);
    expect(await catalog.sync()).toEqual([]);
  },
);

test.skipIf(bed === noBed)('only what differs is written, in batches that Glue takes', async () => {
  await using interposer = await openInterposer(await awsEndpoint(), {});
  await using fixture = await openFollowed(interposer.endpoint);
  const { catalog } = fixture;
  const all = days(230);
  await fixture.publish(curated, all);
  await catalog.sync([curated.name]);
  await fixture.publish(curated, all.slice(0, 120));
  await fixture.publish(curated, all.slice(200), { removed: true, files: [], rows: 0, bytes: 0 });
  const changes = await catalog.sync([curated.name]);
  expect(changes.filter(({ action }) => action === 'update')).toHaveLength(120);
  expect(changes.filter(({ action }) => action === 'remove')).toHaveLength(30);
  expect(await fixture.shown(curated)).toEqual(await fixture.expected(curated));
  const sizes = (action: string, list: string) =>
    interposer.calls
      .filter((call) => call.action === action)
      .map(({ body }) => (body[list] as unknown[]).length);
  expect(sizes('BatchCreatePartition', 'PartitionInputList')).toEqual([100, 100, 30]);
  expect(sizes('BatchUpdatePartition', 'Entries')).toEqual([100, 20]);
  expect(sizes('BatchDeletePartition', 'PartitionsToDelete')).toEqual([25, 5]);
  expect(interposer.calls.filter(({ action }) => action === 'UpdateTable')).toEqual([]);
  const before = interposer.calls.length;
  expect(await catalog.sync([curated.name])).toEqual([]);
  const reads = interposer.calls.slice(before).map(({ action }) => action);
  expect(reads.every((action) => action.startsWith('Get'))).toBe(true);
});

test.skipIf(bed === noBed)('a dry run says what it would do, and does nothing', async () => {
  await using fixture = await openFollowed();
  await fixture.publish(curated, days(2));
  const changes = await fixture.catalog.sync([curated.name], { dryRun: true });
  expect(changes).toHaveLength(3);
  expect(await fixture.shown(curated)).toBeNull();
  expect(await fixture.ledger.behind(fixture.catalog.name)).toEqual([curated.name]);
  expect(await fixture.catalog.sync([curated.name])).toEqual(changes);
});

test.skipIf(bed === noBed)(
  'what a batch refuses is tried alone, as what it then turns out to be',
  async () => {
    const refuse = (values: unknown, code: string, key: string) => ({
      [key]: values,
      ErrorDetail: { ErrorCode: code, ErrorMessage: code },
    });
    const half = { BatchCreatePartition: 0, BatchUpdatePartition: 0, BatchDeletePartition: 0 };
    /** Does all but the first two of a batch: of one it says what is not so, of the other that it was busy. */
    const partly =
      (action: keyof typeof half, list: string, key: string, other: string) =>
      async (
        body: Record<string, unknown>,
        pass: (to?: string, body?: Record<string, unknown>) => Promise<Reply>,
      ) => {
        half[action] += 1;
        const [first, second, ...rest] = body[list] as Record<string, unknown>[];
        const done = await pass(action, { ...body, [list]: rest });
        const values = (of: Record<string, unknown>) => of['Values'] ?? of['PartitionValueList'];
        const errors = [
          refuse(values(first!), other, key),
          refuse(values(second!), 'InternalServiceException', key),
        ];
        return { status: done.status, body: { Errors: errors } };
      };
    await using interposer = await openInterposer(await awsEndpoint(), {
      BatchCreatePartition: partly(
        'BatchCreatePartition',
        'PartitionInputList',
        'PartitionValues',
        'AlreadyExistsException',
      ),
      BatchUpdatePartition: partly(
        'BatchUpdatePartition',
        'Entries',
        'PartitionValueList',
        'EntityNotFoundException',
      ),
      BatchDeletePartition: partly(
        'BatchDeletePartition',
        'PartitionsToDelete',
        'PartitionValues',
        'ThrottlingException',
      ),
    });
    await using fixture = await openFollowed(interposer.endpoint);
    const { catalog } = fixture;
    await fixture.publish(curated, days(5));
    await catalog.sync([curated.name]);
    expect(await fixture.shown(curated)).toEqual(await fixture.expected(curated));
    await fixture.publish(curated, days(5));
    await catalog.sync([curated.name]);
    expect(await fixture.shown(curated)).toEqual(await fixture.expected(curated));
    await fixture.publish(curated, days(4), { removed: true, files: [], rows: 0, bytes: 0 });
    await catalog.sync([curated.name]);
    expect(Object.keys((await fixture.shown(curated))!)).toEqual(['2026-01-05/a']);
    expect(half).toEqual({ BatchCreatePartition: 1, BatchUpdatePartition: 1, BatchDeletePartition: 1 });
  },
);

test.skipIf(bed === noBed)(
  'a storm of throttling ends the sync with how far it came, and the next one goes on from there',
  async () => {
    let allowed = 1;
    await using interposer = await openInterposer(await awsEndpoint(), {
      BatchCreatePartition: () =>
        (allowed -= 1) >= 0 ? undefined : refused('ThrottlingException', 'Rate exceeded'),
    });
    await using fixture = await openFollowed(interposer.endpoint);
    const { catalog, ledger } = fixture;
    await fixture.publish(curated, days(150));
    const syncing = catalog.sync([curated.name]);
    await expect(syncing).rejects.toThrow(RetryableError);
    await expect(syncing).rejects.toThrow(
      /glue:BatchCreatePartition.*Rate exceeded.*after 100 of 150 partitions/,
    );
    expect(await ledger.behind(catalog.name)).toEqual([curated.name]);
    expect(Object.keys((await fixture.shown(curated))!)).toHaveLength(100);
    allowed = 10;
    expect(await catalog.sync([curated.name])).toHaveLength(50);
    expect(await fixture.shown(curated)).toEqual(await fixture.expected(curated));
  },
);

test.skipIf(bed === noBed)(
  'a catalog that was edited by hand is mended, whatever was done to it',
  async () => {
    await using fixture = await openFollowed();
    const { catalog, glue, prefix, ledger } = fixture;
    await fixture.publish(curated, days(3));
    await fixture.publish(rates, [{}]);
    await catalog.sync();
    const DatabaseName = `${prefix}shop`;
    const { Table: made } = await glue.send(new GetTableCommand({ DatabaseName, Name: 'curated' }));
    await glue.send(
      new UpdateTableCommand({
        DatabaseName,
        TableInput: {
          Name: 'curated',
          TableType: 'EXTERNAL_TABLE',
          PartitionKeys: made!.PartitionKeys!,
          StorageDescriptor: { ...made!.StorageDescriptor, Columns: [{ Name: 'id', Type: 'string' }] },
          Parameters: { 'projection.enabled': 'false' },
        },
      }),
    );
    await glue.send(new DeleteTableCommand({ DatabaseName, Name: 'rates' }));
    const left = { ...made!.StorageDescriptor, Location: 's3://elsewhere/' };
    await glue.send(
      new CreateTableCommand({
        DatabaseName,
        TableInput: {
          Name: 'gone',
          StorageDescriptor: left,
          Parameters: { 'ingot.lake': fixture.objects.location('') },
        },
      }),
    );
    await glue.send(
      new CreateTableCommand({ DatabaseName, TableInput: { Name: 'theirs', StorageDescriptor: left } }),
    );
    expect(await ledger.behind(catalog.name)).toEqual([]);
    const changes = await catalog.sync();
    expect(changes.map(({ table, action }) => [table, action])).toEqual([
      ['shop.curated', 'update'],
      ['shop.gone', 'remove'],
      ['shop.rates', 'create'],
    ]);
    for (const table of [curated, rates])
      expect(await fixture.shown(table)).toEqual(await fixture.expected(table));
    const { Table: mended } = await glue.send(new GetTableCommand({ DatabaseName, Name: 'curated' }));
    expect(mended!.StorageDescriptor!.Columns).toHaveLength(4);
    expect(mended!.Parameters).toMatchObject({ 'projection.enabled': 'false', classification: 'parquet' });
    expect((await glue.send(new GetTableCommand({ DatabaseName, Name: 'theirs' }))).Table!.Name).toBe(
      'theirs',
    );
  },
);

test.skipIf(bed === noBed)(
  'somebody else who changes the definition meanwhile does not lose, nor does the ledger',
  async () => {
    let overtaken = 0;
    await using interposer = await openInterposer(await awsEndpoint(), {
      UpdateTable: async (body, pass) => {
        if ((overtaken += 1) > 2) return undefined;
        await pass('UpdateTable', {
          ...body,
          VersionId: undefined,
          TableInput: { ...(body['TableInput'] as object), Parameters: { owner: `v${overtaken}` } },
        });
        return undefined;
      },
    });
    await using fixture = await openFollowed(interposer.endpoint);
    await fixture.publish(rates, [{}]);
    await fixture.catalog.sync();
    await fixture.publish(rates, [{}]);
    await fixture.catalog.sync();
    expect(overtaken).toBe(3);
    expect(await fixture.shown(rates)).toEqual(await fixture.expected(rates));
    const { Table: made } = await fixture.glue.send(
      new GetTableCommand({ DatabaseName: `${fixture.prefix}shop`, Name: 'rates' }),
    );
    expect(made!.Parameters).toMatchObject({ owner: 'v2', classification: 'parquet' });
  },
);

test.skipIf(bed === noBed)('a new column reaches the table and every partition', async () => {
  await using fixture = await openFollowed();
  await fixture.publish(curated, days(2));
  await fixture.catalog.sync();
  const wider = {
    ...curated,
    columns: [...curated.columns, { name: 'note', type: 'text' as const, nullable: true }],
  };
  await fixture.ledger.registerTables([wider]);
  expect(await fixture.catalog.sync()).toHaveLength(3);
  expect(await fixture.catalog.sync()).toEqual([]);
});

test.skipIf(bed === noBed)(
  'a partition without files shows no rows, and one that was removed is not there',
  async () => {
    await using fixture = await openFollowed();
    await fixture.publish(curated, days(2));
    await fixture.publish(rates, [{}]);
    await fixture.catalog.sync();
    await fixture.publish(curated, days(1), { files: [], rows: 0, bytes: 0 });
    await fixture.publish(rates, [{}], { removed: true, files: [], rows: 0, bytes: 0 });
    await fixture.catalog.sync();
    const empty = fixture.objects.location('data/_empty/');
    expect((await fixture.shown(curated))!['2026-01-01/a']).toMatchObject({ location: empty, rows: '0' });
    expect((await fixture.shown(rates))!['']!.location).toBe(empty);
    await fixture.publish(curated, days(1), { removed: true, files: [], rows: 0, bytes: 0 });
    await fixture.catalog.sync();
    expect(Object.keys((await fixture.shown(curated))!)).toEqual(['2026-01-02/a']);
  },
);

test.skipIf(bed === noBed)(
  'pieces of a large file are in a folder of their own, below the partition’s or in place of it',
  async () => {
    await using fixture = await openFollowed();
    const [day] = days(1);
    const files = await fixture.write(curated, day!, [
      'data_0/data_0.parquet',
      'data_0/data_1.parquet',
      'data_1.parquet',
    ]);
    await fixture.publish(curated, [day!], { files });
    await fixture.catalog.sync();
    expect((await fixture.shown(curated))!['2026-01-01/a']!.location).toMatch(/day=2026-01-01\/kind=a\/$/);
    const pieces = await fixture.write(curated, day!, [
      'data_0/data_0.parquet',
      'data_0/data_1.parquet',
      '_SUCCESS',
    ]);
    await fixture.publish(curated, [day!], { files: pieces.slice(0, 2) });
    await fixture.catalog.sync();
    expect((await fixture.shown(curated))!['2026-01-01/a']!.location).toMatch(/kind=a\/data_0\/$/);
  },
);

test.skipIf(bed === noBed)(
  'a version whose folder holds other rows, or not all of its own, is not shown, and others are',
  async () => {
    await using fixture = await openFollowed();
    const [day, other] = days(2) as [ReturnType<typeof days>[0], ReturnType<typeof days>[0]];
    await fixture.publish(curated, [day]);
    await fixture.catalog.sync();
    const before = await fixture.shown(curated);
    const files = await fixture.write(curated, day, ['data_0.parquet', 'of-somebody-else.parquet']);
    await fixture.publish(curated, [day], { files: files.slice(0, 1) });
    await fixture.publish(rates, [{}]);
    const syncing = fixture.catalog.sync();
    await expect(syncing).rejects.toThrow(TerminalError);
    await expect(syncing).rejects.toThrow(
      /shop\.curated\/day=2026-01-01\/kind=a, version \d+: expected its 1 files, and no others.*also .*of-somebody-else/,
    );
    expect(await fixture.shown(curated)).toEqual(before);
    expect(await fixture.shown(rates)).toEqual(await fixture.expected(rates));
    await fixture.publish(curated, [day]);
    const lost = await fixture.write(curated, other);
    await fixture.publish(curated, [other], {
      files: [...lost, { key: `${lost[0]!.key}.gone.parquet`, bytes: 1, rows: 1 }],
    });
    await expect(fixture.catalog.sync()).rejects.toThrow(/found no .*gone\.parquet/);
  },
);

test.skipIf(bed === noBed)(
  'files as they were delivered are the crawler’s: the table is not in the catalog',
  async () => {
    await using fixture = await openFollowed();
    const { catalog, ledger } = fixture;
    await ledger.registerTables([delivered]);
    expect(await catalog.sync()).toEqual([]);
    await fixture.publish(delivered, [{}], { files: [{ key: 'raw/shop/a.csv', bytes: 4, rows: 1 }] });
    expect(await catalog.sync()).toEqual([]);
    expect(await fixture.shown(delivered)).toBeNull();
    expect(await ledger.behind(catalog.name)).toEqual([]);
  },
);

test.skipIf(bed === noBed)('a table of another lake is left alone', async () => {
  await using fixture = await openFollowed();
  const { openGlueCatalog } = await import('../../../engines/glue/catalog.ts');
  await fixture.publish(rates, [{}]);
  await fixture.catalog.sync();
  const other = await openGlueCatalog({
    prefix: fixture.prefix,
    ledger: fixture.ledger,
    objects: { ...fixture.objects, location: (key) => `s3://another-lake/${key}` },
    endpoint: await awsEndpoint(),
  });
  await expect(other.sync([rates.name])).rejects.toThrow(
    /expected a table of the lake s3:\/\/another-lake\//,
  );
  await other.close();
  expect(await fixture.shown(rates)).toEqual(await fixture.expected(rates));
});

test.skipIf(bed === noBed)(
  'while many publish and sync at once, nobody ever sees an older version than before',
  async () => {
    await using fixture = await openFollowed();
    const { ledger } = fixture;
    const [day] = days(1);
    await fixture.publish(curated, [day!]);
    await fixture.catalog.sync();
    const others = await Promise.all(
      [ledger, await fixture.another(), await fixture.another()].map(async (each) => ({
        ledger: each,
        catalog: await fixture.catalogOf(each),
      })),
    );
    let publishing = true;
    const watch = async (): Promise<number[]> => {
      const seen: number[] = [];
      while (publishing) seen.push(Number((await fixture.shown(curated))!['2026-01-01/a']!.version));
      return seen;
    };
    const watching = watch();
    for (let round = 0; round < 6; round += 1) {
      await fixture.publish(curated, [day!]);
      await Promise.all(others.map(({ catalog }) => catalog.sync([curated.name])));
    }
    const racing = others.flatMap(({ catalog }) =>
      Array.from({ length: 4 }, () => catalog.sync([curated.name])),
    );
    await Promise.all([fixture.publish(curated, [day!]), ...racing]);
    await fixture.catalog.sync([curated.name]);
    publishing = false;
    const seen = await watching;
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(await fixture.shown(curated)).toEqual(await fixture.expected(curated));
  },
);

test.skipIf(bed === noBed)('a permission that is missing is named', async () => {
  await using interposer = await openInterposer(await awsEndpoint(), {
    CreateTable: () =>
      refused('AccessDeniedException', 'User is not authorized to perform: glue:CreateTable'),
  });
  await using fixture = await openFollowed(interposer.endpoint);
  await fixture.publish(rates, [{}]);
  const syncing = fixture.catalog.sync();
  await expect(syncing).rejects.toThrow(TerminalError);
  await expect(syncing).rejects.toThrow(/expected permission for glue:CreateTable/);
});

test.skipIf(bed === noBed)('a sync that is given up stops between two calls', async () => {
  await using interposer = await openInterposer(await awsEndpoint(), {});
  await using fixture = await openFollowed(interposer.endpoint);
  await fixture.publish(curated, days(250));
  const abort = new AbortController();
  const beat = (note = '') => {
    if (note.startsWith('100 of 250')) abort.abort(new Error('the worker stops'));
  };
  await expect(fixture.catalog.sync(undefined, { signal: abort.signal, beat })).rejects.toThrow(
    'the worker stops',
  );
  expect(interposer.calls.filter(({ action }) => action === 'BatchCreatePartition')).toHaveLength(1);
  expect(await fixture.catalog.sync()).toHaveLength(150);
});

test.skipIf(bed === noBed)('pages and half answers of Glue are read to their end', async () => {
  await using interposer = await openInterposer(await awsEndpoint(), {
    GetPartitions: async (body, pass) => {
      const { body: all } = await pass('GetPartitions', { ...body, NextToken: undefined });
      const from = Number(body['NextToken'] ?? 0);
      const { Partitions } = all as { Partitions: unknown[] };
      const NextToken = from + 7 < Partitions.length ? { NextToken: String(from + 7) } : {};
      return { status: 200, body: { Partitions: Partitions.slice(from, from + 7), ...NextToken } };
    },
    BatchGetPartition: async (body, pass) => {
      const [first, ...rest] = body['PartitionsToGet'] as unknown[];
      const done = await pass('BatchGetPartition', { ...body, PartitionsToGet: [first] });
      return { status: 200, body: { ...(done.body as object), UnprocessedKeys: rest } };
    },
  });
  await using fixture = await openFollowed(interposer.endpoint);
  const { catalog } = fixture;
  await fixture.publish(curated, days(20));
  await catalog.sync();
  expect(await catalog.sync()).toEqual([]);
  await fixture.publish(curated, days(3));
  const changes = await catalog.sync([curated.name], { sinceLast: true });
  expect(changes.map(({ action }) => action)).toEqual(['update', 'update', 'update']);
  const reads = (action: string) => interposer.calls.filter((call) => call.action === action).length;
  expect([reads('GetPartitions'), reads('BatchGetPartition')]).toEqual([3, 3]);
  expect(await fixture.shown(curated)).toEqual(await fixture.expected(curated));
});

test.skipIf(bed === noBed)(
  'what was published since the last time is found without looking at the rest',
  async () => {
    await using interposer = await openInterposer(await awsEndpoint(), {});
    await using fixture = await openFollowed(interposer.endpoint);
    const { catalog, ledger } = fixture;
    const since = { sinceLast: true };
    await fixture.publish(curated, days(30));
    expect(await catalog.sync([curated.name], since)).toHaveLength(31);
    await fixture.publish(curated, [...days(1), { day: '2027-01-01', kind: 'new' }]);
    await fixture.publish(curated, days(2).slice(1), { removed: true, files: [], rows: 0, bytes: 0 });
    const before = interposer.calls.length;
    const changes = await catalog.sync([curated.name], since);
    expect(changes.map(({ partition, action }) => [partition, action])).toEqual([
      ['day=2026-01-01/kind=a', 'update'],
      ['day=2027-01-01/kind=new', 'create'],
      ['day=2026-01-02/kind=a', 'remove'],
    ]);
    const calls = interposer.calls.slice(before);
    expect(calls.map(({ action }) => action)).not.toContain('GetPartitions');
    expect(calls.find(({ action }) => action === 'BatchGetPartition')!.body['PartitionsToGet']).toHaveLength(
      3,
    );
    expect(await fixture.shown(curated)).toEqual(await fixture.expected(curated));
    expect(await catalog.sync([curated.name], since)).toEqual([]);
    expect(await ledger.behind(catalog.name)).toEqual([]);
    await fixture.publish(curated, days(2).slice(1));
    expect(await catalog.sync([curated.name], since)).toMatchObject([{ action: 'create' }]);
    const wider = {
      ...curated,
      columns: [...curated.columns, { name: 'note', type: 'text' as const, nullable: true }],
    };
    await ledger.registerTables([wider]);
    expect(await catalog.sync([curated.name], since)).toHaveLength(32);
  },
);
