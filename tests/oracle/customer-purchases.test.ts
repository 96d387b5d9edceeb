import { expect, test } from 'vitest';
import { recomputeCustomerPurchases } from './customer-purchases.ts';
import { emailOf, nameOf } from './names.ts';
import type { Delivery } from './rows.ts';

const header = 'purchase_id,customer_id,first_name,last_name,email,purchased_at,amount,currency';
const rates = 'currency,valid_from,rate\nAUD,2025-01-01,1\nUSD,2025-01-01,1.5\nEUR,2025-01-01,1.625';

interface Fields {
  id: string;
  customer: string;
  first: string;
  last: string;
  email: string;
  at: string;
  amount: string;
  currency: string;
}

function record(fields: Partial<Fields> = {}): string {
  const row = {
    id: 'P1',
    customer: '7',
    first: 'Ann',
    last: 'Lee',
    email: 'a@b.co',
    at: '2026-01-05T10:00:00Z',
    amount: '10.00',
    currency: 'AUD',
    ...fields,
  };
  return [row.id, row.customer, row.first, row.last, row.email, row.at, row.amount, row.currency].join(',');
}

function day(date: string, ...records: string[]): Delivery {
  return { ingestDate: date, name: `${date}.csv`, bytes: Buffer.from([header, ...records, ''].join('\n')) };
}

function reasonsFor(fields: Partial<Fields>): string {
  const result = recomputeCustomerPurchases([day('2026-01-05', record(fields))], rates);
  return result.quarantine[0]?.reasons ?? 'silver';
}

function kept(...files: Delivery[]): string[] {
  return recomputeCustomerPurchases(files, rates)
    .silver.map((row) => `${row.ingestion_date} ${row.full_name}`)
    .toSorted();
}

test.each<[Partial<Fields>, string]>([
  [{ amount: '-5' }, 'silver'],
  [{ amount: '-0.00' }, 'amount_zero'],
  [{ amount: '0.000' }, 'amount_too_precise,amount_zero'],
  [{ amount: '1,5' }, 'malformed_row'],
  [{ amount: '1e2' }, 'amount_not_a_number'],
  [{ amount: '1000000.01' }, 'amount_out_of_range'],
  [{ currency: 'CHF' }, 'unknown_currency'],
  [{ currency: ' usd' }, 'silver'],
  [{ customer: '0' }, 'customer_id_invalid'],
  [{ customer: '2147483647' }, 'silver'],
  [{ customer: '2147483648' }, 'customer_id_invalid'],
  [{ customer: '-1' }, 'customer_id_invalid'],
  [{ id: ' ' }, 'missing_purchase_id'],
  [{ first: '', last: ' ' }, 'missing_name'],
  [{ at: 'x' }, 'timestamp_malformed'],
  [{ at: '2026-01-05T23:59:59Z' }, 'silver'],
  [{ at: '2026-01-06T00:00:01Z' }, 'timestamp_in_future'],
  [{ at: '2025-02-01T00:00:00Z' }, 'silver'],
  [{ email: 'nobody' }, 'silver'],
])('%j gives %s', (fields, expected) => expect(reasonsFor(fields)).toBe(expected));

test.each([
  ['  anna   MARIA ', 'anna MARIA'],
  ['ANNA  maria'.toUpperCase(), 'Anna Maria'],
  ['josé luis', 'José Luis'],
  ['jose\u0301', 'José'],
  ['李 小龙', '李 小龙'],
  ['ВЛАДИМИР', 'Владимир'],
  ['McDonald', 'McDonald'],
  [' \n ', ''],
])('the name %j becomes %j', (text, expected) => expect(nameOf(text)).toBe(expected));

test.each([
  [' Ann@Example.COM ', 'ann@example.com'],
  ['a@b', null],
  ['a b@c.de', null],
  ['@c.de', null],
  ['a@c.', null],
  ['', null],
])('the e-mail %j becomes %j', (text, expected) => expect(emailOf(text)).toBe(expected));

test('AUD amounts are rounded to cents with halves away from zero, at the rate of the purchase date', () => {
  const result = recomputeCustomerPurchases(
    [
      day(
        '2026-01-05',
        record({ amount: '0.03', currency: 'USD' }),
        record({ id: 'P2', amount: '-0.03', currency: 'USD' }),
      ),
    ],
    rates,
  );
  expect(result.silver.map((row) => row.amount_aud)).toEqual(['0.05', '-0.05']);
});

test('an earlier ingestion date drops a copy up to seven days later, though itself dropped or quarantined', () => {
  expect(
    kept(
      day('2026-01-01', record({ at: '2026-01-01T00:00:00Z', first: 'First' })),
      day('2026-01-08', record({ at: '2026-01-01T00:00:00Z' })),
    ),
  ).toEqual(['2026-01-01 First Lee']);
  const old = record({ at: '2026-01-01T00:00:00Z' });
  expect(kept(day('2026-01-01', old), day('2026-01-09', old))).toEqual([
    '2026-01-01 Ann Lee',
    '2026-01-09 Ann Lee',
  ]);
  expect(kept(day('2026-01-01', old), day('2026-01-08', old), day('2026-01-09', old))).toEqual([
    '2026-01-01 Ann Lee',
  ]);
  expect(kept(day('2026-01-05', record({ amount: 'x' })), day('2026-01-06', record()))).toEqual([]);
});

test('within an ingestion date the smaller text fields stay and equal records are one', () => {
  const result = recomputeCustomerPurchases(
    [day('2026-01-05', record({ first: 'Bea' }), record(), record({ first: ' Ann ' }))],
    rates,
  );
  expect(result.silver.map((row) => row.full_name)).toEqual(['Ann Lee']);
  expect(result.accounts).toEqual([
    { ingestDate: '2026-01-05', read: 3, curated: 1, audit: 0, duplicates: 2, superseded: 0 },
  ]);
});

test('the same file delivered twice changes nothing but the account', () => {
  const file = day('2026-01-05', record(), record({ id: 'P2', amount: 'x' }));
  const once = recomputeCustomerPurchases([file], rates);
  const twice = recomputeCustomerPurchases([file, { ...file, name: 'again.csv' }], rates);
  expect(twice.silver).toEqual(once.silver);
  expect(twice.summary).toEqual(once.summary);
  expect(twice.accounts).toEqual([
    { ingestDate: '2026-01-05', read: 4, curated: 1, audit: 1, duplicates: 2, superseded: 0 },
  ]);
});

test('a day contributes per customer, the summary totals the days and takes name and e-mail from the latest purchase', () => {
  const first = day(
    '2026-01-05',
    record({ email: 'x@y.zz' }),
    record({ id: 'P2', amount: '-2.50', at: '2026-01-04T09:00:00Z' }),
  );
  const second = day(
    '2026-01-06',
    record({ id: 'P3', first: 'Anna', email: 'bad', amount: '1', at: '2026-01-06T09:00:00Z' }),
    record({ id: 'P4', customer: '8', at: '2026-01-06T09:00:00Z' }),
  );
  const result = recomputeCustomerPurchases([second, first], rates);
  expect(
    result.staging.toSorted((a, b) =>
      `${a.load_date}${a.customer_id}`.localeCompare(`${b.load_date}${b.customer_id}`),
    ),
  ).toEqual([
    {
      load_date: '2026-01-05',
      customer_id: '7',
      full_name: 'Ann Lee',
      email: 'x@y.zz',
      total_spent_aud: '7.50',
      first_purchase_date: '2026-01-04',
      last_purchase_date: '2026-01-05',
    },
    {
      load_date: '2026-01-06',
      customer_id: '7',
      full_name: 'Anna Lee',
      email: null,
      total_spent_aud: '1.00',
      first_purchase_date: '2026-01-06',
      last_purchase_date: '2026-01-06',
    },
    {
      load_date: '2026-01-06',
      customer_id: '8',
      full_name: 'Ann Lee',
      email: 'a@b.co',
      total_spent_aud: '10.00',
      first_purchase_date: '2026-01-06',
      last_purchase_date: '2026-01-06',
    },
  ]);
  expect(result.summary.find((row) => row.customer_id === '7')).toEqual({
    customer_id: '7',
    full_name: 'Anna Lee',
    email: null,
    total_spent_aud: '8.50',
    first_purchase_date: '2026-01-04',
    last_purchase_date: '2026-01-06',
  });
  expect(result.topCustomers.map((row) => row.customer_id)).toEqual(['8', '7']);
});
