import { expect, test } from 'vitest';
import type { Table } from '../../../dag/relation.ts';
import { queryServiceConformance } from '../../ports/query-service.case.ts';
import { read } from '../../ports/query-service/fixture.ts';
import { openedEngine } from './opened.ts';
import { openedQueries } from './published-tables.ts';

const opened = async () => openedQueries(await openedEngine());

queryServiceConformance('the DuckDB query service', opened);

const numbers: Table = {
  name: 'test.numbers',
  zone: 'gold',
  columns: [{ name: 'n', type: 'bigint', nullable: false }],
  partitionBy: [],
};

test('a query goes on with the files of its snapshot when a newer version is published meanwhile', async () => {
  await using fixture = await opened();
  await fixture.publish(numbers, 'select range as n from range(200000)');
  const result = await fixture.service.query('select n from test.numbers order by n');
  await fixture.publish(numbers, 'select -1 as n');
  expect((await read(result)).length).toBe(200_000);
  expect(await read(await fixture.service.query('select n from test.numbers'))).toEqual([['-1']]);
});

test('a file of the lake that the query did not name cannot be read, even by its path', async () => {
  await using fixture = await opened();
  await fixture.publish(numbers, 'select 1 as n');
  const secret = { ...numbers, name: 'test.secret' };
  await fixture.publish(secret, 'select 42 as n');
  const paths: string[] = [];
  for await (const object of fixture.objects.list('test.secret/'))
    paths.push(fixture.objects.location(object.key));
  for (const path of paths)
    await expect(fixture.service.query(`select * from test.numbers, '${path}'`)).rejects.toThrow(
      /published table/,
    );
});

test('a table of files as they were delivered says so', async () => {
  await using fixture = await opened();
  const version = {
    table: 'test.files',
    partition: {},
    partitionText: '',
    version: 1,
    publicationId: 1,
    rows: 1,
    bytes: 4,
  };
  const files = [{ key: 'raw/a.csv', bytes: 4, rows: 1 }];
  fixture.ledger.published.set('test.files', {
    table: { ...numbers, name: 'test.files' },
    partitions: [{ ...version, files }],
  });
  await expect(fixture.service.query('select * from test.files')).rejects.toThrow(
    'test.files: expected a table of rows, stored as Parquet; found files as they were delivered, such as raw/a.csv.',
  );
});

test('closing the service ends what is still open', async () => {
  await using fixture = await opened();
  await fixture.publish(numbers, 'select range as n from range(100000)');
  const result = await fixture.service.query('select a.n from test.numbers a, test.numbers b');
  await fixture.service.close();
  await expect(read(result)).rejects.toThrow();
  await expect(fixture.service.query('select 1')).rejects.toThrow(/closed/);
});
