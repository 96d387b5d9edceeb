import { expect, inject, test, vi } from 'vitest';
import { openDatabase } from '../../../engines/postgres/database.ts';
import { RetryableError } from '../../../ports/errors.ts';
import { databases } from './databases.ts';

const server = databases(inject('postgresUrl'));

test('a session that ends between two statements fails its transaction and nothing else', async () => {
  const url = await server.create();
  const db = openDatabase(url, {}, 2);
  const transaction = db.transaction(async (query) => {
    await query('select 1');
    await server.cut(url);
    await vi.waitFor(async () => {
      const others = await server.query(
        url,
        'select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      expect(others).toHaveLength(0);
    });
    return query('select 2');
  });
  await expect(transaction).rejects.toThrow(RetryableError);
  expect(await db.query('select 3 as three')).toEqual([{ three: 3 }]);
  await db.close();
});

test('transactions that lock each other out are repeated until both are done', async () => {
  const url = await server.create();
  await server.query(url, 'create table counters as select n, 0 as count from generate_series(1, 2) n');
  const db = openDatabase(url, {}, 2);
  const bothHoldOne = Promise.withResolvers<void>();
  let holding = 0;
  const increment = (first: number, second: number) =>
    db.transaction(async (query) => {
      await query('update counters set count = count + 1 where n = $1', [first]);
      holding += 1;
      if (holding === 2) bothHoldOne.resolve();
      await bothHoldOne.promise;
      await query('update counters set count = count + 1 where n = $1', [second]);
    });
  await Promise.all([increment(1, 2), increment(2, 1)]);
  expect(holding).toBeGreaterThan(2);
  expect(await db.query('select n, count from counters order by n')).toEqual([
    { n: 1, count: 2 },
    { n: 2, count: 2 },
  ]);
  await db.close();
});

test('instants are RFC 3339 text to the millisecond, whatever the time zone of the session', async () => {
  const url = await server.create();
  const texts = ['2026-01-01T00:00:00Z', '2026-02-28T23:59:59.5Z', '1969-12-31T12:00:00.123456Z'];
  for (const TimeZone of ['UTC', 'Asia/Kathmandu']) {
    const db = openDatabase(url, { TimeZone }, 1);
    const rows = await db.query('select unnest($1::timestamptz[]) as at', [texts]);
    expect(rows.map((row) => (row as { at: string }).at)).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-02-28T23:59:59.500Z',
      '1969-12-31T12:00:00.123Z',
    ]);
    await db.close();
  }
});
