import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { customers, quarantine, silver } from '../../pipelines/customer_purchases/contract.ts';
import { customerPurchases } from '../../pipelines/customer_purchases/pipeline.ts';
import { emailOf, nameOf } from '../../pipelines/customer_purchases/spelling.ts';
import { namedQueries } from '../../pipelines/index.ts';
import { openHarness } from '../activities/harness.ts';
import type { Harness } from '../activities/harness.ts';

// The rates of these dates, from rates.csv: USD 1.4948, EUR 1.7570 (1.7614 before 2026-01-03), AUD 1, JPY 0.009561.
const header = 'purchase_id,customer_id,first_name,last_name,email,purchased_at,amount,currency';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function deliver(date: string, ...rows: readonly string[]): Promise<void> {
  await harness.put(
    `landing/customer_purchases/${date}/${date}.csv`,
    `\uFEFF${[header, ...rows, ''].join('\n')}`,
  );
}

async function run(...dates: readonly string[]): Promise<void> {
  for (const date of dates) expect((await harness.run(customerPurchases, date)).failures).toEqual({});
}

const summary = (): Promise<readonly (readonly (string | null)[])[]> =>
  harness.warehouseRows(
    'select customer_id::text, full_name, email, total_spent_aud::text, first_purchase_date::text, last_purchase_date::text from customer_purchase_summary order by customer_id',
  );

async function account(date: string): Promise<unknown> {
  const found = (await harness.ports.ledger.accounts('customer_purchases')).find(
    ({ partition }) => partition === `ingestion_date=${date}`,
  );
  return { read: found?.read, ...found?.parts };
}

test('a day becomes cleaned purchases, contributions and a summary', async () => {
  await deliver(
    '2026-01-05',
    'p1,7,  MARY   ANN ,o\u2019neil,Mary@Example.COM,2026-01-05T10:00:00Z,10.00,usd',
    'p2,7,Mary,McDonald,not an address,2026-01-05T12:00:00Z,-2.50,EUR',
    'p3,8,,\u5c71\u7530,,2026-01-01T10:00:00Z,1000,JPY',
    'p4,0009,jose\u0301,,jose@example.org,2026-01-05T10:00:00Z,1,AUD',
    'p5,0,a,b,,2026-01-05T10:00:00Z,0,XYZ',
    'p6,9,a,b,,2026-01-06T00:00:00Z,1000000.01,AUD',
    'p7,9,a',
  );
  await run('2026-01-05');
  const columns = [
    'purchase_id',
    'customer_id',
    'first_name',
    'last_name',
    'full_name',
    'email',
    'purchase_date',
    'amount',
    'currency',
    'amount_aud',
  ];
  expect((await harness.rows(silver, columns)).map((row) => Object.values(row))).toEqual([
    [
      'p1',
      '7',
      'Mary Ann',
      'O\u2019neil',
      'Mary Ann O\u2019neil',
      'mary@example.com',
      '2026-01-05',
      '10.00',
      'USD',
      '14.95',
    ],
    ['p2', '7', 'Mary', 'McDonald', 'Mary McDonald', null, '2026-01-05', '-2.50', 'EUR', '-4.39'],
    ['p3', '8', '', '\u5c71\u7530', '\u5c71\u7530', null, '2026-01-01', '1000.00', 'JPY', '9.56'],
    ['p4', '9', 'Jos\u00e9', '', 'Jos\u00e9', 'jose@example.org', '2026-01-05', '1.00', 'AUD', '1.00'],
  ]);
  expect(
    (await harness.rows(quarantine, ['line_number', 'reasons'])).map((row) => Object.values(row)),
  ).toEqual([
    ['6', '[amount_zero, customer_id_invalid, unknown_currency]'],
    ['7', '[amount_out_of_range, timestamp_in_future]'],
    ['8', '[malformed_row]'],
  ]);
  expect(await account('2026-01-05')).toEqual({ read: 7, curated: 4, audit: 3, duplicates: 0 });
  expect(
    (
      await harness.rows(customers, ['year', 'month', 'day', 'customer_id', 'full_name', 'total_spent_aud'])
    ).map((row) => Object.values(row)),
  ).toEqual([
    ['2026', '01', '05', '7', 'Mary McDonald', '10.56'],
    ['2026', '01', '05', '8', '\u5c71\u7530', '9.56'],
    ['2026', '01', '05', '9', 'Jos\u00e9', '1.00'],
  ]);
  expect(await summary()).toEqual([
    ['7', 'Mary McDonald', null, '10.56', '2026-01-05', '2026-01-05'],
    ['8', '\u5c71\u7530', null, '9.56', '2026-01-01', '2026-01-01'],
    ['9', 'Jos\u00e9', 'jose@example.org', '1.00', '2026-01-05', '2026-01-05'],
  ]);
});

const buy = (id: string, customer: number, name: string, at: string, amount: string): string =>
  `${id},${customer},${name},X,${name}@x.org,${at},${amount},AUD`;

describe('over days', () => {
  const files: Readonly<Record<string, readonly string[]>> = {
    '2026-01-05': [
      buy('p1', 1, 'First', '2026-01-05T10:00:00Z', '10'),
      buy('p2', 2, 'Gone', '2026-01-05T10:00:00Z', '5'),
    ],
    '2026-01-06': [
      buy('p1', 1, 'Copy', '2026-01-06T10:00:00Z', '99'),
      buy('p3', 1, 'Older', '2026-01-04T10:00:00Z', '-3'),
    ],
    '2026-01-07': [buy('p4', 1, 'Last', '2026-01-05T10:00:00Z', '0.5')],
  };
  const expected = [
    // p1 and p4 at one instant: the later ingestion date names the customer.
    ['1', 'Last X', 'last@x.org', '7.50', '2026-01-04', '2026-01-05'],
    ['2', 'Gone X', 'gone@x.org', '5.00', '2026-01-05', '2026-01-05'],
  ];

  test.each([
    ['2026-01-05,2026-01-06,2026-01-07'],
    ['2026-01-07,2026-01-06,2026-01-05'],
    ['2026-01-06,2026-01-05,2026-01-07,2026-01-06,2026-01-05'],
  ])('run as %s', async (order) => {
    for (const [date, rows] of Object.entries(files)) await deliver(date, ...rows);
    await run(...order.split(','));
    expect(await summary()).toEqual(expected);
    expect(await account('2026-01-06')).toEqual({ read: 2, curated: 1, audit: 0, duplicates: 1 });
  });

  test('a customer with nothing left disappears, and a copy comes back when its rival goes', async () => {
    for (const [date, rows] of Object.entries(files)) await deliver(date, ...rows);
    await run(...Object.keys(files));
    await deliver('2026-01-05', buy('p9', 3, 'New', '2026-01-05T10:00:00Z', '1'));
    await run('2026-01-05');
    expect((await summary()).map((row) => row.slice(0, 4))).toEqual([
      ['1', 'Copy X', 'copy@x.org', '96.50'],
      ['3', 'New X', 'new@x.org', '1.00'],
    ]);
  });
});

test('of copies within a file the one with the smaller fields stands, of equal ones the first', async () => {
  const row = (customer: number, email: string): string =>
    `p1,${customer},A,B,${email},2026-01-05T10:00:00Z,1,AUD`;
  await deliver('2026-01-05', row(2, 'z@x.org'), row(2, 'Z@x.org'), row(10, 'a@x.org'), row(10, 'a@x.org'));
  await run('2026-01-05');
  expect(
    (await harness.rows(silver, ['customer_id', 'line_number'])).map((each) => Object.values(each)),
  ).toEqual([['10', '4']]);
  expect(await account('2026-01-05')).toEqual({ read: 4, curated: 1, audit: 0, duplicates: 3 });
});

test('the top five are asked by name', async () => {
  await deliver(
    '2026-01-05',
    ...[5, 9, 1, 9, 7, 3, 2].map((amount, index) =>
      buy(`p${index}`, index + 1, 'N', '2026-01-05T10:00:00Z', String(amount)),
    ),
  );
  await run('2026-01-05');
  const rows = await harness.warehouseRows(namedQueries['top_customers']!.sql);
  expect(rows.map(([customer, , , total]) => [customer, total])).toEqual([
    ['2', '9.00'],
    ['4', '9.00'],
    ['5', '7.00'],
    ['1', '5.00'],
    ['6', '3.00'],
  ]);
});

test('success and failure are told with the arguments of the run', async () => {
  await deliver('2026-01-05', buy('p1', 1, 'A', '2026-01-05T10:00:00Z', '1'));
  await harness.run(customerPurchases, '2026-01-05', {
    input: 'landing/customer_purchases/2026-01-05/2026-01-05.csv',
  });
  await harness.run(customerPurchases, '2026-01-06');
  expect(harness.notifications).toMatchObject([
    {
      severity: 'info',
      title: 'customer_purchases 2026-01-05 loaded',
      context: {
        params: { input: 'landing/customer_purchases/2026-01-05/2026-01-05.csv' },
        about: { copied: 1 },
      },
    },
    {
      severity: 'error',
      title: 'customer_purchases 2026-01-06 failed',
      context: { params: { input: null }, failed: [{ task: 'ingest' }] },
    },
  ]);
});

test.each([
  ['JOHN', 'John'],
  ['mary-jane  o\u2019neil', 'Mary-jane O\u2019neil'],
  ['de la Cruz', 'de la Cruz'],
  ['e\u0301mile', '\u00c9mile'],
  ['STRASSE', 'Strasse'],
  ['\u00dfen', '\u00dfen'],
  ['\u0130STANBUL', '\u0130stanbul'],
  ['\u039f\u0394\u039f\u03a3', '\u039f\u03b4\u03bf\u03c3'],
  ['\u5c71\u7530 \u592a\u90ce', '\u5c71\u7530 \u592a\u90ce'],
  ['\u3000A\u2003b\u00a0', 'A b'],
  ['123', '123'],
  ['', ''],
])('the name %j is written %j', (text, expected) => {
  expect(nameOf(text)).toBe(expected);
});

test.each([
  [' A.B@Example.Org ', 'a.b@example.org'],
  ['\u00c4@X.de', '\u00e4@x.de'],
  ['a@b', ''],
  ['a b@c.d', ''],
  ['a@b@c.d', ''],
  ['@b.c', ''],
])('the address %j is %j', (text, expected) => {
  expect(emailOf(text)).toBe(expected);
});
