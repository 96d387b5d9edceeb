import { describe, expect } from 'vitest';
import type { Table } from '../../dag/relation.ts';
import { TerminalError } from '../../ports/errors.ts';
import { testUnless, type Skip } from './conformance.ts';
import { type OpenQueryService, type QueryServiceFixture, read } from './query-service/fixture.ts';

const curated: Table = {
  name: 'payments.curated',
  zone: 'silver',
  columns: [
    { name: 'id', type: 'bigint', nullable: false },
    { name: 'amount', type: 'decimal(18,2)', nullable: true },
    { name: 'tags', type: 'text[]', nullable: true },
    { name: 'ok', type: 'boolean', nullable: true },
    { name: 'paid_at', type: 'timestamp', nullable: true },
    { name: 'day', type: 'date', nullable: false },
    { name: 'shop', type: 'text', nullable: false },
  ],
  partitionBy: ['day', 'shop'],
};
const shops: Table = {
  name: 'payments.shops',
  zone: 'gold',
  columns: [
    { name: 'shop', type: 'text', nullable: false },
    { name: 'city', type: 'text', nullable: true },
  ],
  partitionBy: [],
};

/** Ten days of two shops, five rows each. */
const curatedRows = `
  select i as id, (i * 0.1)::decimal(18,2) as amount, ['x', 'é' || i] as tags, i % 2 = 0 as ok, timestamp '2026-01-01 10:00:00.000001' + to_days((i // 10)::int) as paid_at,
    date '2026-01-01' + (i // 10)::int as day, case when i % 10 < 5 then 'a' else 'b c/d' end as shop from range(100) r(i)`;

async function published(open: OpenQueryService): Promise<QueryServiceFixture> {
  const fixture = await open();
  await fixture.publish(curated, curatedRows);
  await fixture.publish(shops, `select * from (values ('a', 'Berlin'), ('b c/d', null)) as v(shop, city)`);
  return fixture;
}

/** Conditions, and how many of the 20 partitions they leave to be read. */
export const prunings: readonly (readonly [string, number])[] = [
  [`day = '2026-01-03'`, 2],
  [`'2026-01-03' = c.day and c.shop = 'a'`, 1],
  [`day in ('2026-01-03', date '2026-01-05')`, 4],
  [`day between '2026-01-03' and '2026-01-05' and id > 0`, 6],
  [`day > '2026-01-08' and day <= '2026-01-09'`, 2],
  [`month(day) = 1 and extract(day from day) < 3`, 4],
  [`shop = 'b c/d' or shop = 'nowhere'`, 10],
  [`not (shop = 'a')`, 10],
  [`day = '2027-01-01'`, 0],
  [`id = 7`, 20],
  [`day = '2026-01-03' or id = 7`, 20],
  [`paid_at::date = day`, 20],
  [`day = (select max(day) from payments.curated)`, 20],
  [`random() >= 0 and day > date '2026-01-03' - 100`, 20],
];

/** What every query service promises. */
export function queryServiceConformance(
  name: string,
  open: OpenQueryService,
  { skip = [] }: { readonly skip?: readonly Skip[] } = {},
): void {
  const test = testUnless(skip);
  describe(name, () => {
    test('values are text that loses no digit, but for null, booleans and text lists', async () => {
      await using fixture = await published(open);
      const result = await fixture.service.query(
        `select *, 12345678901234567890.123456789::decimal(38,9) as wide, 0.1::double as d from payments.curated where id = 7`,
      );
      expect(result.columns.map(({ name: column, type }) => [column, type])).toEqual([
        ...curated.columns.map((column) => [column.name, column.type]),
        ['wide', 'decimal(38,9)'],
        ['d', 'double'],
      ]);
      expect(await read(result)).toEqual([
        [
          '7',
          '0.70',
          ['x', 'é7'],
          false,
          '2026-01-01 10:00:00.000001',
          '2026-01-01',
          'b c/d',
          '12345678901234567890.123456789',
          '0.1',
        ],
      ]);
    });

    for (const [condition, partitions] of prunings)
      test(`where ${condition} reads ${partitions} of 20 partitions and gives the same rows`, async () => {
        await using fixture = await published(open);
        const pruned = await fixture.service.query(
          `select id from payments.curated c where ${condition} order by id`,
        );
        const rows = await read(pruned);
        // A condition behind a window function can prune nothing, so it tells what the answer is.
        const unpruned = await fixture.service.query(
          `select id from (select *, count(*) over () as n from payments.curated) c where n > 0 and (${condition}) order by id`,
        );
        expect(rows).toEqual(await read(unpruned));
        expect(pruned.partitions!.read).toBe(partitions);
        expect(pruned.partitions!.read + pruned.partitions!.leftOut).toBe(20);
        expect(unpruned.partitions!.leftOut).toBe(0);
        if (partitions < 20) expect(pruned.bytesScanned).toBeLessThan(unpruned.bytesScanned);
      });

    test('a condition on the outer side of a join prunes nothing it would change', async () => {
      await using fixture = await published(open);
      const query = (sql: string) => fixture.service.query(sql);
      const missing = await query(
        `select count(*) from payments.shops s left join payments.curated c on c.shop = s.shop and c.day = '2026-01-03' where c.day is null`,
      );
      expect(await read(missing)).toEqual([['0']]);
      const absent = await query(
        `select s.shop from payments.shops s left join payments.curated c on c.shop = s.shop where c.day is null or c.day = '2026-01-03' group by all order by 1`,
      );
      expect(await read(absent)).toEqual([['a'], ['b c/d']]);
      const inner = await query(
        `select count(*) from payments.curated c join payments.shops s on c.shop = s.shop where c.day = '2026-01-03' and s.city is not null`,
      );
      expect([await read(inner), inner.partitions!.read]).toEqual([[['5']], 3]);
      const twice = await query(
        `select count(*) from payments.curated a, payments.curated b where a.day = '2026-01-01' and b.day = '2026-01-02' and a.shop = b.shop`,
      );
      expect([await read(twice), twice.partitions!.read]).toEqual([[['50']], 4]);
      const nested = await query(
        `with d as (select * from payments.curated where day = '2026-01-04') select count(*), (select count(*) from payments.curated where day = '2026-01-05' and shop = 'a') from d`,
      );
      expect([await read(nested), nested.partitions!.read]).toEqual([[['10', '5']], 3]);
    });

    test('a table without partitions is empty, not unknown', async () => {
      await using fixture = await open();
      await fixture.publish(curated, `${curatedRows} limit 0`);
      const result = await fixture.service.query('select count(*), sum(amount) from payments.curated');
      expect(await read(result)).toEqual([['0', null]]);
      expect(result.partitions?.read ?? 0).toBe(0);
    });

    test('an unknown table is answered with the names that come near', async () => {
      await using fixture = await published(open);
      await expect(fixture.service.query('select * from payments.curatd')).rejects.toThrow(
        /found payments\.curatd\. Did you mean payments\.curated\?/,
      );
      await expect(fixture.service.query('select * from shops')).rejects.toThrow(
        /Did you mean payments\.shops/,
      );
      await expect(fixture.service.query('select * from "Payments".CURATED limit 1')).resolves.toBeDefined();
    });

    const refused = [
      'insert into payments.curated values (1)',
      'delete from payments.curated',
      'drop table payments.curated',
      'create table x as select 1',
      `copy payments.curated to 'stolen.csv'`,
      `attach 'other.db'`,
      'set memory_limit = 1',
      'pragma database_list',
      `select * from read_csv('/etc/passwd')`,
      `select * from read_text('/etc/passwd')`,
      `select * from '/etc/passwd'`,
      `select * from "lake/file.parquet"`,
      `select * from glob('/*')`,
      `select * from query('select 1')`,
      `from query_table('payments.curated')`,
      'select * from duckdb_settings()',
      'select * from information_schema.tables',
      'select 1; drop table payments.curated',
      'show tables',
      '',
    ];
    for (const sql of refused)
      test(`refused: ${sql === '' ? 'nothing at all' : sql}`, async () => {
        await using fixture = await published(open);
        await expect(fixture.service.query(sql)).rejects.toThrow(TerminalError);
      });

    test('a mistake is shown with its line and column', async () => {
      await using fixture = await published(open);
      await expect(fixture.service.query('select\n  nothing from payments.curated')).rejects.toThrow(
        /line 2, column 3/,
      );
      await expect(fixture.service.query('selec 1')).rejects.toThrow(/line 1, column 1.*selec/s);
    });

    test('a limit ends the rows, in the order asked for', async () => {
      await using fixture = await published(open);
      const result = await fixture.service.query('select id from payments.curated order by id desc', {
        limit: 3,
      });
      expect(await read(result)).toEqual([['99'], ['98'], ['97']]);
    });

    test('rows are streamed, and a reader may leave', async () => {
      await using fixture = await published(open);
      const result = await fixture.service.query(
        'select a.id from payments.curated a, payments.curated b, payments.curated c, payments.curated d, payments.curated e',
      );
      let seen = 0;
      for await (const _ of result.rows) if ((seen += 1) === 10_000) break;
      expect(seen).toBe(10_000);
    });

    test('many results left unread do not keep others waiting once their callers give up', async () => {
      await using fixture = await published(open);
      const abort = new AbortController();
      const unread = Array.from({ length: 12 }, () =>
        fixture.service.query('select a.id from payments.curated a, payments.curated b, payments.curated c', {
          signal: abort.signal,
        }),
      );
      await Promise.race(unread);
      abort.abort(new Error('gave up'));
      await Promise.allSettled(unread);
      expect(await read(await fixture.service.query('select 1'))).toEqual([['1']]);
    });

    test('an aborted query stops with the reason', async () => {
      await using fixture = await published(open);
      const abort = new AbortController();
      const slow =
        'select count(*) from range(1000000) a, range(1000000) b, range(1000) c where a.range + b.range + c.range = -1';
      const beat = () => abort.abort(new Error('the reader left'));
      await expect(fixture.service.query(slow, { signal: abort.signal, beat })).rejects.toThrow(
        'the reader left',
      );
      await expect(fixture.service.query('select 1', { signal: abort.signal })).rejects.toThrow(
        'the reader left',
      );
      expect(await read(await fixture.service.query('select 1'))).toEqual([['1']]);
    });
  });
}
