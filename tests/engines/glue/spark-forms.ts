import { toSpark } from '../../../engines/spark-sql/to-spark.ts';

/** Selects of the conformance suite that are outside the portable subset, as one would write them for Spark. */
const byHand: readonly (readonly [duckdb: string, spark: string])[] = [
  [
    `select * from (values (1, date '2026-01-01', 'a/b=c%20 d''e"é🙂'), (2, date '2026-01-02', 'x*[?]y'), (3, date '2026-01-02', '')) as t(id, day, place)`,
    String.raw`select * from values (1, date'2026-01-01', 'a/b=c%20 d\'e"é🙂'), (2, date'2026-01-02', 'x*[?]y'), (3, date'2026-01-02', '') as t(id, day, place)`,
  ],
  [
    `select cast(timestamptz '2026-01-01 00:30:00+02:00' as timestamp)`,
    `select timestamp'2026-01-01 00:30:00+02:00'`,
  ],
  [
    `
      select * from (values
        ('é"'' \n', true, 2147483647, 9223372036854775807, 0.1::double, 9999999999999999.99::decimal(18,2), 12345678901234567890.123456789012345678::decimal(38,18), date '9999-12-31', timestamp '2026-01-01 23:59:59.999999', ['a', '', null, '"}']),
        ('', false, -2147483648, -9223372036854775807, -1e300::double, -0.01::decimal(18,2), -0.000000000000000001::decimal(38,18), date '0001-01-01', timestamp '1969-12-31 23:59:59.000001', []::varchar[]),
        (null, null, null, null, null, null, null, null, null, null)
      ) as v(t, b, i, l, f, m, x, d, ts, a)`,
    String.raw`
      select * from values
        ('é"\' \n', true, 2147483647, 9223372036854775807L, 0.1d, 9999999999999999.99bd, cast('12345678901234567890.123456789012345678' as decimal(38,18)), date'9999-12-31', timestamp'2026-01-01 23:59:59.999999', array('a', '', null, '"}')),
        ('', false, -2147483648, -9223372036854775807L, -1e300d, -0.01bd, cast('-0.000000000000000001' as decimal(38,18)), date'0001-01-01', timestamp'1969-12-31 23:59:59.000001', cast(array() as array<string>)),
        (null, null, null, null, null, null, null, null, null, null)
      as v(t, b, i, l, f, m, x, d, ts, a)`,
  ],
  [
    `select n, (n * 1.5 - 20)::decimal(18,2) as m, case when n % 10 <> 0 then 'é' || n end as t, timestamp '2026-01-01' + to_seconds(n) as ts, n > 90 as b, date '2026-01-01' + (n % 2) as day from (select unnest(generate_series(9, 100))::int as n)`,
    `select n, cast(n * 1.5bd - 20 as decimal(18,2)) as m, case when n % 10 <> 0 then concat('é', n) end as t, timestamp'2026-01-01' + make_dt_interval(0, 0, 0, n) as ts, n > 90 as b, date_add(date'2026-01-01', n % 2) as day from (select cast(id as int) as n from range(9, 101))`,
  ],
  [
    `select n, -n::decimal(10,2) as m, n * 1e10 as f, case when n % 2 = 0 then md5(n::varchar) || sha256(n::varchar) end as t from (select unnest(generate_series(1, 600000)) as n)`,
    `select n, -cast(n as decimal(10,2)) as m, n * 1e10d as f, case when n % 2 = 0 then concat(md5(cast(n as string)), sha2(cast(n as string), 256)) end as t from (select id as n from range(1, 600001))`,
  ],
  [
    `select md5(n::varchar) || sha256(n::varchar) as t, date '2026-01-01' + (n % 20 = 0)::int as day, n from (select unnest(generate_series(1, 400000)) as n)`,
    `select concat(md5(cast(n as string)), sha2(cast(n as string), 256)) as t, date_add(date'2026-01-01', cast(n % 20 = 0 as int)) as day, n from (select id as n from range(1, 400001))`,
  ],
  [
    `select '1.50' as a, 7::hugeint as b, timestamp '2026-01-01' as c, '2026-01-01T01:02:03Z' as d, 12.50::decimal(10,2) as e, sum(5::bigint) as f`,
    `select '1.50' as a, cast(7 as decimal(38,0)) as b, timestamp'2026-01-01' as c, '2026-01-01T01:02:03Z' as d, 12.50bd as e, sum(5L) as f`,
  ],
  ['select unnest([1, 2, 3])::int as n', 'select explode(array(1, 2, 3)) as n'],
  [
    'select count(*) as n from range(1000000) a, range(1000000) b, range(1000) c where a.range + b.range + c.range = -1',
    'select count(*) as n from range(1000000000000000) a where a.id % 7 = 8',
  ],
  [
    'select count(*) as n from range(20000000) r(i) where i % 3 = 0',
    'select count(*) as n from range(20000000) where id % 3 = 0',
  ],
  [
    'select md5(i::varchar) as k, i as n from range(3000000) r(i)',
    'select md5(cast(id as string)) as k, id as n from range(3000000)',
  ],
];

const known = new Map(byHand);

/** Spark's form of a select of the conformance suite: the product's own translation wherever it has one. */
export function sparkForm(sql: string): string {
  return known.get(sql) ?? toSpark(sql);
}
