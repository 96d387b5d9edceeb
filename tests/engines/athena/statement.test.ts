import { expect, test } from 'vitest';
import { bindStatement } from '../../../engines/athena/statement.ts';
import { TerminalError } from '../../../ports/errors.ts';

const known = ['payments.curated', 'payments.shops', 'orders.lines'];
const bound = (sql: string) => bindStatement(sql, known, 'ingot_');

const accepted: readonly (readonly [string, string, readonly string[]])[] = [
  ['select 1', 'select 1', []],
  [
    'select c.id from payments.curated c, "Payments".SHOPS s where c.shop = s.shop;',
    'select c.id from "ingot_payments"."curated" c, "ingot_payments"."shops" s where c.shop = s.shop',
    ['payments.curated', 'payments.shops'],
  ],
  [
    'select payments.curated.id, payments.curated.* from payments.curated',
    'select "ingot_payments"."curated".id, "ingot_payments"."curated".* from "ingot_payments"."curated"',
    ['payments.curated'],
  ],
  [
    `select extract(year from day), trim(both ' ' from shop), 'from payments.x' from payments.curated -- from payments.y`,
    `select extract(year from day), trim(both ' ' from shop), 'from payments.x' from "ingot_payments"."curated"`,
    ['payments.curated'],
  ],
  [
    'with x (a, b) as (select 1, 2 from orders.lines), y as (select * from x) select * from y, x where a is distinct from b',
    'with x (a, b) as (select 1, 2 from "ingot_orders"."lines"), y as (select * from x) select * from y, x where a is distinct from b',
    ['orders.lines'],
  ],
  [
    'select * from (payments.curated a join payments.shops b on a.shop = b.shop), (select 1 from orders.lines) z',
    'select * from ("ingot_payments"."curated" a join "ingot_payments"."shops" b on a.shop = b.shop), (select 1 from "ingot_orders"."lines") z',
    ['payments.curated', 'payments.shops', 'orders.lines'],
  ],
  [
    'select t from payments.curated cross join unnest(tags, sequence(1, 2)) as u (t, n), lateral (select 1 from orders.lines) l',
    'select t from "ingot_payments"."curated" cross join unnest(tags, sequence(1, 2)) as u (t, n), lateral (select 1 from "ingot_orders"."lines") l',
    ['payments.curated', 'orders.lines'],
  ],
  [
    'select (select max(day) from payments.curated), count(*) filter (where id in (select id from orders.lines)) from (values (1, 2)) v (a, b)',
    'select (select max(day) from "ingot_payments"."curated"), count(*) filter (where id in (select id from "ingot_orders"."lines")) from (values (1, 2)) v (a, b)',
    ['payments.curated', 'orders.lines'],
  ],
];

for (const [sql, sent, tables] of accepted)
  test(`sent: ${sql}`, () => {
    expect(bound(sql)).toMatchObject({ sql: sent, tables });
    expect(bindStatement(sql, known, '').sql).toBe(sql.replace(/;$| -- .*$/, ''));
  });

const refused: readonly (readonly [string, RegExp])[] = [
  ['', /no statement/],
  [' -- nothing', /no statement/],
  ['selec 1', /line 1, column 1: .*begins with selec/],
  ['insert into payments.curated select 1', /begins with insert/],
  ["using external function f(x int) returns int lambda 'l' select f(1)", /begins with using/],
  ['from payments.curated', /begins with from/],
  ['select 1; drop table payments.curated', /line 1, column 9: .*more than one statement/],
  ['select 1 from payments.shops, information_schema.tables', /found information_schema\.tables/],
  ['select 1 from payments.shops s join (select 1 from sys.x) y on true', /found sys\.x/],
  ['select 1 from (payments.shops join sys.x on true)', /found sys\.x/],
  ['select 1\nfrom payments.curatd', /line 2, column 6: .*Did you mean payments\.curated\?/],
  ['select 1 from shops', /Did you mean payments\.shops/],
  ['select 1 from awsdatacatalog.payments.shops', /another catalog: awsdatacatalog\.payments\.shops/],
  ['select 1 from "payments.shops"."x"', /found payments\.shops\.x/],
  [`select 1 from '/etc/passwd'`, /in place of a table/],
  ['select 1 from table(f(1))', /the table function table/],
  ['select 1 from payments.shops union table sys.x', /found sys\.x/],
  ['select 1 where exists (table sys.x)', /found sys\.x/],
  ['select 1 from payments.shops where id in (select id from sys.x)', /found sys\.x/],
  ['select coalesce((select 1 from sys.x), 2)', /found sys\.x/],
  ['select 1)', /never opened/],
];

for (const [sql, message] of refused)
  test(`refused: ${sql === '' ? 'nothing' : sql}`, () => {
    expect(() => bound(sql)).toThrow(message);
    expect(() => bound(sql)).toThrow(TerminalError);
  });

test('a place that Athena names is found again in the SQL as it was given', () => {
  const given = 'select 1,\n  a.x from payments.curated a join payments.shops s on a.y = s.z\nwhere b';
  const { sql, placeOf } = bound(given);
  const place = (text: string, of: string) => {
    const lines = of.slice(0, of.lastIndexOf(text)).split('\n');
    return { line: lines.length, column: lines.at(-1)!.length + 1 };
  };
  for (const text of ['a.x', 'a join', 's.z', 'where', 'b']) {
    const { line, column } = place(text, sql);
    expect(placeOf(line, column)).toEqual(place(text, given));
  }
  const { line, column } = place('"shops"', sql);
  expect(placeOf(line, column)).toEqual(place('payments.shops', given));
});
