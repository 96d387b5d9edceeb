import { expect, test } from 'vitest';
import { recomputePayments } from './payments.ts';
import type { Delivery } from './rows.ts';

const header = 'txn_id,merchant_id,user_id,amount,currency,status,txn_ts,country';
const rates =
  'currency,valid_from,rate\nUSD,2025-01-01,1\nEUR,2025-01-01,1.10\nEUR,2026-01-02,1.25\nJPY,2025-01-01,0.0065\nGBP,2025-01-01,1.2345';

interface Fields {
  id: string;
  merchant: string;
  user: string;
  amount: string;
  currency: string;
  status: string;
  at: string;
  country: string;
}

function record(fields: Partial<Fields> = {}): string {
  const row = {
    id: 'T1',
    merchant: 'M1',
    user: 'U1',
    amount: '10.00',
    currency: 'USD',
    status: 'APPROVED',
    at: '2026-01-05T10:00:00Z',
    country: 'US',
    ...fields,
  };
  return [row.id, row.merchant, row.user, row.amount, row.currency, row.status, row.at, row.country].join(
    ',',
  );
}

function day(date: string, ...records: string[]): Delivery {
  return { ingestDate: date, name: `${date}.csv`, bytes: Buffer.from([header, ...records, ''].join('\n')) };
}

function reasonsFor(fields: Partial<Fields>): string {
  const result = recomputePayments([day('2026-01-05', record(fields))], rates);
  return result.audit[0]?.reasons ?? 'curated';
}

function kept(...files: Delivery[]): string[] {
  return recomputePayments(files, rates)
    .curated.map((row) => `${row.ingest_date} ${row.merchant_id}`)
    .toSorted();
}

function account(date: string, ...files: Delivery[]): readonly number[] {
  const found = recomputePayments(files, rates).accounts.find(({ ingestDate }) => ingestDate === date)!;
  return [found.read, found.curated, found.audit, found.duplicates, found.superseded];
}

test('text is trimmed and currency, status and country are upper-cased before any check', () => {
  const result = recomputePayments(
    [
      day(
        '2026-01-05',
        record({ currency: ' usd ', status: '\tapproved', country: 'de ', id: ' T1', user: 'u ' }),
      ),
    ],
    rates,
  );
  expect(result.curated).toEqual([
    {
      ingest_date: '2026-01-05',
      txn_date: '2026-01-05',
      txn_id: 'T1',
      merchant_id: 'M1',
      user_id: 'u',
      amount: '10.00',
      currency: 'USD',
      status: 'APPROVED',
      txn_ts: '2026-01-05 10:00:00.000000',
      country: 'DE',
      amount_usd: '10.00',
      txn_hour: '10',
      is_refund: 'false',
    },
  ]);
});

test.each([
  ['"1,234.50"', 'amount_not_a_number'],
  ['1e3', 'amount_not_a_number'],
  ['', 'amount_not_a_number'],
  ['NaN', 'amount_not_a_number'],
  ['٣', 'amount_not_a_number'],
  ['.5', 'amount_not_a_number'],
  ['5.', 'amount_not_a_number'],
  ['+5', 'amount_not_a_number'],
  ['1.234', 'amount_too_precise'],
  ['1.230', 'amount_too_precise'],
  ['0', 'amount_not_positive'],
  ['-0.00', 'amount_not_positive'],
  ['-3', 'amount_not_positive'],
  ['-0.001', 'amount_not_positive,amount_too_precise'],
  ['1000000.01', 'amount_out_of_range'],
  ['1000000.001', 'amount_out_of_range,amount_too_precise'],
  ['99999999999999999999999999999999999999999999.99', 'amount_out_of_range'],
  ['1000000', 'curated'],
  ['0.01', 'curated'],
  ['007', 'curated'],
])('an amount of %s gives %s', (amount, expected) => expect(reasonsFor({ amount })).toBe(expected));

test.each([
  ['2026-01-05T10:00:00', 'curated'],
  ['2026-01-05 10:00:00.1234567+05:30', 'curated'],
  ['2026-01-05T10:00:00-0800', 'curated'],
  ['2026-01-05T23:59:59.999999Z', 'curated'],
  ['2025-12-29T00:00:00Z', 'curated'],
  ['2025-12-28T23:59:59.999999Z', 'timestamp_out_of_range'],
  ['2026-01-06T00:00:00Z', 'timestamp_out_of_range'],
  ['2026-01-06T01:00:00+01:00', 'timestamp_out_of_range'],
  ['2026-01-06T00:59:59+01:00', 'curated'],
  ['2026-01-05', 'timestamp_malformed'],
  ['2026-01-05T10:00', 'timestamp_malformed'],
  ['2026-01-05T24:00:00Z', 'timestamp_malformed'],
  ['2026-01-05  10:00:00', 'timestamp_malformed'],
  ['2026-02-29T10:00:00Z', 'timestamp_malformed'],
  ['2026-01-05T1٠:00:00Z', 'timestamp_malformed'],
  ['', 'timestamp_malformed'],
])('a timestamp of %s gives %s', (at, expected) => expect(reasonsFor({ at })).toBe(expected));

test('timestamps are stored as UTC with microseconds', () => {
  const result = recomputePayments(
    [day('2026-01-05', record({ at: '2026-01-05 01:02:03.1234569+05:30' }))],
    rates,
  );
  expect(result.curated[0]).toMatchObject({
    txn_ts: '2026-01-04 19:32:03.123456',
    txn_date: '2026-01-04',
    txn_hour: '19',
  });
  expect(result.qualityCounts[0]!.late).toBe(1);
});

test('a row carries every reason that applies, sorted', () => {
  expect(
    reasonsFor({ id: ' ', merchant: '', user: '', amount: 'x', currency: '', status: '?', at: '' }),
  ).toBe(
    'amount_not_a_number,missing_merchant_id,missing_txn_id,missing_user_id,timestamp_malformed,unknown_currency,unknown_status',
  );
});

test('an unknown or empty country is no reason', () => {
  expect([reasonsFor({ country: '' }), reasonsFor({ country: 'Narnia' })]).toEqual(['curated', 'curated']);
});

test('a record without exactly eight fields is malformed, has no other reason and keeps its raw line', () => {
  const result = recomputePayments(
    [day('2026-01-05', 'a,b', `${record({ amount: 'x' })},more`, record())],
    rates,
  );
  expect(result.audit.map(({ raw, reasons, line_number }) => [line_number, reasons, raw])).toEqual([
    ['2', 'malformed_row', 'a,b'],
    ['3', 'malformed_row', `${record({ amount: 'x' })},more`],
  ]);
  expect(result.accounts).toEqual([
    { ingestDate: '2026-01-05', read: 3, curated: 1, audit: 2, duplicates: 0, superseded: 0 },
  ]);
});

test('audit rows keep their fields verbatim as a JSON array', () => {
  const result = recomputePayments(
    [day('2026-01-05', record({ amount: ' x ', merchant: '"say ""hi"",\nfriend"' }))],
    rates,
  );
  expect(result.audit[0]!.raw).toBe(
    '["T1","say \\"hi\\",\\nfriend","U1"," x ","USD","APPROVED","2026-01-05T10:00:00Z","US"]',
  );
});

test('the later timestamp wins, in whichever file it stands, and the loser counts where it stands', () => {
  const older = day('2026-01-05', record({ merchant: 'old' }));
  const newer = day('2026-01-06', record({ merchant: 'new', at: '2026-01-05T10:00:01Z' }));
  expect(kept(older, newer)).toEqual(['2026-01-06 new']);
  expect(account('2026-01-05', older, newer)).toEqual([1, 0, 0, 0, 1]);
  const stale = day('2026-01-06', record({ merchant: 'new', at: '2026-01-05T09:59:59Z' }));
  expect(kept(older, stale)).toEqual(['2026-01-05 old']);
  expect(account('2026-01-06', older, stale)).toEqual([1, 0, 0, 1, 0]);
});

test('of equal timestamps the later ingest date wins, though written in another form', () => {
  const first = day('2026-01-05', record({ merchant: 'Z' }));
  const second = day('2026-01-06', record({ merchant: 'A', at: '2026-01-05 11:00:00+01:00' }));
  expect(kept(first, second)).toEqual(['2026-01-06 A']);
});

test('within a file of equal timestamps the greater trimmed fields win, by code point and in column order', () => {
  expect(
    kept(day('2026-01-05', record({ merchant: 'M1', user: 'Z' }), record({ merchant: ' M2 ', user: 'A' }))),
  ).toEqual(['2026-01-05 M2']);
  expect(kept(day('2026-01-05', record({ merchant: '\u{1F600}' }), record({ merchant: '\uFF5E' })))).toEqual([
    '2026-01-05 \u{1F600}',
  ]);
});

test('records equal in everything are one record and the rest duplicates', () => {
  const file = day('2026-01-05', record(), record({ merchant: ' M1' }), record());
  expect(kept(file)).toEqual(['2026-01-05 M1']);
  expect(account('2026-01-05', file)).toEqual([3, 1, 0, 2, 0]);
});

test('an unreadable or out-of-range timestamp loses to any other, and among such it is not compared', () => {
  const good = record({ merchant: 'good', at: '2025-12-30T00:00:00Z' });
  expect(
    kept(day('2026-01-05', good, record({ at: 'zzz' }), record({ at: '2099-01-01T00:00:00Z' }))),
  ).toEqual(['2026-01-05 good']);
  const result = recomputePayments(
    [
      day(
        '2026-01-05',
        record({ at: '2098-01-01T00:00:00Z', merchant: 'B' }),
        record({ at: '2099-01-01T00:00:00Z', merchant: 'A' }),
      ),
    ],
    rates,
  );
  expect(result.audit.map(({ raw }) => JSON.parse(raw!)[1])).toEqual(['B']);
});

test('a winner that is invalid goes to audit and its valid loser stays dropped', () => {
  const file = day('2026-01-05', record(), record({ at: '2026-01-05T11:00:00Z', amount: 'x' }));
  expect(account('2026-01-05', file)).toEqual([2, 0, 1, 1, 0]);
});

test('copies more than seven days apart do not meet, and a dropped copy still drops another', () => {
  const first = day('2026-01-01', record({ merchant: 'a', at: '2026-01-01T00:00:00Z' }));
  const week = day('2026-01-08', record({ merchant: 'b', at: '2026-01-08T00:00:00Z' }));
  const beyond = day('2026-01-09', record({ merchant: 'c', at: '2026-01-09T00:00:00Z' }));
  expect(kept(first, week)).toEqual(['2026-01-08 b']);
  expect(kept(first, beyond)).toEqual(['2026-01-01 a', '2026-01-09 c']);
  expect(kept(first, week, beyond)).toEqual(['2026-01-09 c']);
  expect(account('2026-01-01', first, week, beyond)).toEqual([1, 0, 0, 0, 1]);
});

test('a dropped record is superseded when the best copy that beats it is later, else a duplicate', () => {
  const best = record({ at: '2026-01-05T12:00:00Z' });
  const between = record({ at: '2026-01-05T11:00:00Z' });
  expect(account('2026-01-05', day('2026-01-05', record(), between), day('2026-01-06', best))).toEqual([
    2, 0, 0, 0, 2,
  ]);
  expect(account('2026-01-05', day('2026-01-05', record(), best), day('2026-01-06', between))).toEqual([
    2, 1, 0, 1, 0,
  ]);
});

test('records without an id and malformed ones take no part in de-duplication', () => {
  expect(
    account('2026-01-05', day('2026-01-05', record({ id: '' }), record({ id: ' ' }), 'T1', 'T1', record())),
  ).toEqual([5, 1, 4, 0, 0]);
});

test('amount_usd takes the rate valid on the transaction date and rounds halves up', () => {
  const rows = [
    record({ id: 'a', currency: 'EUR', amount: '1.05', at: '2026-01-01T00:00:00Z' }),
    record({ id: 'b', currency: 'EUR', amount: '0.02' }),
    record({ id: 'c', currency: 'JPY', amount: '100' }),
  ];
  const result = recomputePayments([day('2026-01-05', ...rows)], rates);
  expect(result.curated.map((row) => row.amount_usd)).toEqual(['1.16', '0.03', '0.65']);
});

test('daily totals add up per date, currency and status', () => {
  const rows = ['1.00', '1.00', '1.01'].map((amount, index) => record({ id: `${index}`, amount }));
  const result = recomputePayments(
    [day('2026-01-05', ...rows, record({ id: 'x', status: 'DECLINED' }))],
    rates,
  );
  expect(result.dailyTotals).toEqual([
    { txn_date: '2026-01-05', currency: 'USD', status: 'APPROVED', count: '3', sum: '3.01', avg: '1.003333' },
    {
      txn_date: '2026-01-05',
      currency: 'USD',
      status: 'DECLINED',
      count: '1',
      sum: '10.00',
      avg: '10.000000',
    },
  ]);
});

test('merchant figures: gross, net, rates, nearest-rank percentiles and distinct users', () => {
  const rows = [
    record({ id: '1', amount: '1' }),
    record({ id: '2', amount: '2', user: 'U2' }),
    record({ id: '3', amount: '4' }),
    record({ id: '4', amount: '3', status: 'REFUNDED' }),
    record({ id: '5', amount: '0.50', status: 'CHARGEBACK' }),
    record({ id: '6', amount: '100', status: 'DECLINED' }),
    record({ id: '7', merchant: 'M2', status: 'PENDING' }),
  ];
  const result = recomputePayments([day('2026-01-05', ...rows)], rates);
  expect(result.merchantKpis).toEqual([
    {
      merchant_id: 'M1',
      txn_date: '2026-01-05',
      gross: '7.00',
      net: '3.50',
      refund_rate: '0.666667',
      decline_rate: '0.166667',
      p50: '2.00',
      p95: '100.00',
      active_users: '2',
    },
    {
      merchant_id: 'M2',
      txn_date: '2026-01-05',
      gross: '0.00',
      net: '0.00',
      refund_rate: null,
      decline_rate: '0.000000',
      p50: '10.00',
      p95: '10.00',
      active_users: '1',
    },
  ]);
});
