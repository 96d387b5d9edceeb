import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import {
  audit,
  curated,
  dailyTotals,
  merchantKpis,
  qualitySummary,
} from '../../pipelines/payments/contract.ts';
import { payments } from '../../pipelines/payments/pipeline.ts';
import { openHarness } from '../activities/harness.ts';
import type { Harness } from '../activities/harness.ts';

// The rates of these dates, from rates.csv: EUR 1.1752, from 2026-01-03 on 1.1721; JPY 0.006379; GBP 1.3465; USD 1.
const header = 'txn_id,merchant_id,user_id,amount,currency,status,txn_ts,country';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function deliver(date: string, ...rows: readonly string[]): Promise<void> {
  await harness.put(`landing/payments/${date}/${date}.csv`, `${[header, ...rows].join('\r\n')}\r\n`);
}

async function run(...dates: readonly string[]): Promise<void> {
  for (const date of dates) expect((await harness.run(payments, date)).failures).toEqual({});
}

async function account(date: string): Promise<unknown> {
  const found = (await harness.ports.ledger.accounts('payments')).find(
    ({ partition }) => partition === `ingest_date=${date}`,
  );
  return { read: found?.read, ...found?.parts };
}

const where = ['ingest_date', 'txn_id', 'merchant_id'] as const;

test('a day becomes curated, quarantined, totalled and loaded rows', async () => {
  await deliver(
    '2026-01-05',
    ' t1 ,m1,u1,10.00,usd,approved,2026-01-05T10:00:00Z,us',
    't2,m1,u2,20.5,EUR,APPROVED,2026-01-05 23:59:59.123456789+00:00,DE',
    't3,m1,u1,1000,JPY,REFUNDED,2026-01-05T01:30:00+02:00,',
    't4,m2,u3,0.005,GBP,PENDING,2026-01-05T10:00:00Z,XX',
    't5,m1,u3,3.01,USD,DECLINED,2026-01-05T11:00:00Z,ZZ',
    't6,m1,u3,0.10,USD,CHARGEBACK,2026-01-05T12:00:00Z,US',
    'only,seven,fields,1,USD,APPROVED,2026-01-05T12:00:00Z',
  );
  await run('2026-01-05');
  const columns = [
    'txn_date',
    'txn_id',
    'amount',
    'currency',
    'status',
    'txn_ts',
    'country',
    'amount_usd',
    'txn_hour',
    'is_refund',
  ];
  expect((await harness.rows(curated, columns)).map((row) => Object.values(row).join(' | '))).toEqual([
    '2026-01-04 | t3 | 1000.00 | JPY | REFUNDED | 2026-01-04 23:30:00 |  | 6.38 | 23 | true',
    '2026-01-05 | t1 | 10.00 | USD | APPROVED | 2026-01-05 10:00:00 | US | 10.00 | 10 | false',
    '2026-01-05 | t2 | 20.50 | EUR | APPROVED | 2026-01-05 23:59:59.123456 | DE | 24.03 | 23 | false',
    '2026-01-05 | t5 | 3.01 | USD | DECLINED | 2026-01-05 11:00:00 | ZZ | 3.01 | 11 | false',
    '2026-01-05 | t6 | 0.10 | USD | CHARGEBACK | 2026-01-05 12:00:00 | US | 0.10 | 12 | true',
  ]);
  const file = 'raw/transactions/ingest_date=2026-01-05/2026-01-05.csv';
  expect(await harness.rows(audit)).toEqual([
    {
      ingest_date: '2026-01-05',
      source_file: file,
      line_number: '5',
      raw: '["t4","m2","u3","0.005","GBP","PENDING","2026-01-05T10:00:00Z","XX"]',
      reasons: '[amount_too_precise]',
    },
    {
      ingest_date: '2026-01-05',
      source_file: file,
      line_number: '8',
      raw: 'only,seven,fields,1,USD,APPROVED,2026-01-05T12:00:00Z',
      reasons: '[malformed_row]',
    },
  ]);
  expect(await account('2026-01-05')).toEqual({
    read: 7,
    curated: 5,
    audit: 2,
    duplicates: 0,
    superseded: 0,
  });
  expect((await harness.rows(dailyTotals)).map((row) => Object.values(row).join(' | '))).toEqual([
    '2026-01-04 | JPY | REFUNDED | 1 | 1000.00 | 1000.000000',
    '2026-01-05 | EUR | APPROVED | 1 | 20.50 | 20.500000',
    '2026-01-05 | USD | APPROVED | 1 | 10.00 | 10.000000',
    '2026-01-05 | USD | CHARGEBACK | 1 | 0.10 | 0.100000',
    '2026-01-05 | USD | DECLINED | 1 | 3.01 | 3.010000',
  ]);
  const kpis = [
    ['2026-01-04', 'm1', '0.00', '-6.38', null, '0.000000', '6.38', '6.38', '1'],
    ['2026-01-05', 'm1', '34.03', '33.93', '0.500000', '0.250000', '3.01', '24.03', '3'],
  ];
  expect((await harness.rows(merchantKpis)).map((row) => Object.values(row))).toEqual(kpis);
  expect(
    await harness.warehouseRows(
      'select txn_date::text, merchant_id, gross::text, net::text, refund_rate::text, decline_rate::text, p50::text, p95::text, active_users::text from merchant_kpis order by 1',
    ),
  ).toEqual(kpis);
  const [summary] = await harness.rows(qualitySummary);
  expect(JSON.parse(String(summary!['summary']))).toMatchObject({
    verdict: 'warn',
    rows: { bronze: 7, curated: 5, audit: 2, duplicates: 0, superseded: 0 },
    late: 1,
    malformed_rows: 1,
    rules: { amount_too_precise: { passed: 5, failed: 1 }, unknown_country: { severity: 'warn', failed: 3 } },
    null_rates: { country: 0.166667, txn_id: 0 },
  });
});

test('averages, rates and percentiles are exact at their last digit', async () => {
  const row = (id: number, amount: string, status = 'APPROVED'): string =>
    `t${id},m1,u${id % 2},${amount},USD,${status},2026-01-05T10:00:00Z,US`;
  await deliver(
    '2026-01-05',
    row(1, '0.01'),
    row(2, '0.01'),
    row(3, '0.03'),
    row(4, '1', 'DECLINED'),
    row(5, '1', 'REFUNDED'),
    row(6, '2', 'REFUNDED'),
    row(7, '1000000', 'PENDING'),
  );
  await run('2026-01-05');
  expect(
    (await harness.rows(dailyTotals, ['status', 'sum', 'avg'])).map((each) => Object.values(each)),
  ).toEqual([
    // 5 cents over 3: 0.0166666… rounds up at the sixth decimal.
    ['APPROVED', '0.05', '0.016667'],
    ['DECLINED', '1.00', '1.000000'],
    ['PENDING', '1000000.00', '1000000.000000'],
    ['REFUNDED', '3.00', '1.500000'],
  ]);
  expect(
    (
      await harness.rows(merchantKpis, [
        'gross',
        'net',
        'refund_rate',
        'decline_rate',
        'p50',
        'p95',
        'active_users',
      ])
    ).map((each) => Object.values(each)),
  ).toEqual([
    // 2 of 3, 1 of 7; of seven amounts the fourth and the seventh.
    ['0.05', '-2.95', '0.666667', '0.142857', '1.00', '1000000.00', '2'],
  ]);
});

const reasons: readonly (readonly [string, string])[] = [
  ['t,m,u,,USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_not_a_number'],
  ['t,m,u,1e3,USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_not_a_number'],
  ['t,m,u,"1,234.50",USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_not_a_number'],
  ['t,m,u,-5.123,USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_not_positive, amount_too_precise'],
  ['t,m,u,0.000,USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_not_positive, amount_too_precise'],
  ['t,m,u,-0,USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_not_positive'],
  ['t,m,u,1000000.01,USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_out_of_range'],
  [
    't,m,u,1000000.000000000001,USD,APPROVED,2026-01-05T10:00:00Z,US',
    'amount_out_of_range, amount_too_precise',
  ],
  ['t,m,u,0001000000.00,USD,APPROVED,2026-01-05T10:00:00Z,US', ''],
  ['t,m,u,1000000.000,USD,APPROVED,2026-01-05T10:00:00Z,US', 'amount_too_precise'],
  [`t,m,u,${'9'.repeat(60)},USD,APPROVED,2026-01-05T10:00:00Z,US`, 'amount_out_of_range'],
  [`t,m,u,-${'9'.repeat(60)},USD,APPROVED,2026-01-05T10:00:00Z,US`, 'amount_not_positive'],
  [
    ' , ,\u3000,x,XXX,?,yesterday,',
    'amount_not_a_number, missing_merchant_id, missing_txn_id, missing_user_id, timestamp_malformed, unknown_currency, unknown_status',
  ],
  ['t,m,u,1,USD,APPROVED,2025-12-29T00:00:00Z,US', ''],
  ['t,m,u,1,USD,APPROVED,2025-12-28T23:59:59.999999Z,US', 'timestamp_out_of_range'],
  ['t,m,u,1,USD,APPROVED,2026-01-06T00:00:00Z,US', 'timestamp_out_of_range'],
  ['t,m,u,1,USD,APPROVED,2026-01-06T00:59:59+01:00,US', ''],
  ['t,m,u,1,USD,APPROVED,2026-01-05T24:00:00Z,US', 'timestamp_malformed'],
  ['t,m,u,1,USD,APPROVED,2026-02-30T10:00:00Z,US', 'timestamp_malformed'],
];

test('a record is quarantined for every reason that applies to it, and for no other', async () => {
  await deliver('2026-01-05', ...reasons.map(([row], index) => row.replace(/^t/, `t${index}`)));
  await run('2026-01-05');
  const found = new Map(
    (await harness.rows(audit, ['line_number', 'reasons'])).map((row) => [
      row['line_number'],
      row['reasons'],
    ]),
  );
  const lines = reasons.map(([row], index) => [row, found.get(String(index + 2)) ?? '']);
  expect(lines).toEqual(reasons.map(([row, expected]) => [row, expected === '' ? '' : `[${expected}]`]));
  expect(await harness.rows(curated, ['txn_id'])).toHaveLength(
    reasons.filter(([, expected]) => expected === '').length,
  );
});

describe('copies of a transaction', () => {
  const copy = (merchant: string, at: string, amount = '1'): string =>
    `t1,${merchant},u,${amount},USD,APPROVED,${at},US`;

  test('the later instant stands, whichever file it came in, and in whichever order the days run', async () => {
    await deliver('2026-01-05', copy('early', '2026-01-05T10:00:00Z'), copy('late', '2026-01-05T11:00:00Z'));
    await deliver('2026-01-06', copy('next', '2026-01-05T10:30:00Z'));
    for (const order of [
      ['2026-01-06', '2026-01-05'],
      ['2026-01-05', '2026-01-06'],
    ]) {
      await run(...order);
      expect((await harness.rows(curated, where)).map((row) => Object.values(row))).toEqual([
        ['2026-01-05', 't1', 'late'],
      ]);
      expect(await account('2026-01-05')).toEqual({
        read: 2,
        curated: 1,
        audit: 0,
        duplicates: 1,
        superseded: 0,
      });
      expect(await account('2026-01-06')).toEqual({
        read: 1,
        curated: 0,
        audit: 0,
        duplicates: 1,
        superseded: 0,
      });
    }
  });

  test('a later copy takes the transaction to its own date and leaves the old one', async () => {
    await deliver('2026-01-05', copy('old', '2026-01-05T10:00:00Z'));
    await run('2026-01-05');
    expect((await harness.rows(dailyTotals, ['txn_date'])).map((row) => row['txn_date'])).toEqual([
      '2026-01-05',
    ]);
    await deliver('2026-01-06', copy('new', '2026-01-06T10:00:00Z'));
    await run('2026-01-06');
    expect((await harness.rows(curated, where)).map((row) => Object.values(row))).toEqual([
      ['2026-01-06', 't1', 'new'],
    ]);
    expect((await harness.rows(dailyTotals, ['txn_date'])).map((row) => row['txn_date'])).toEqual([
      '2026-01-06',
    ]);
    expect(await harness.warehouseRows('select txn_date::text, merchant_id from merchant_kpis')).toEqual([
      ['2026-01-06', 'new'],
    ]);
    expect(await account('2026-01-05')).toEqual({
      read: 1,
      curated: 0,
      audit: 0,
      duplicates: 0,
      superseded: 1,
    });
  });

  test('equal instants: the later ingest date, then the greater text by code point; equal records are one', async () => {
    await deliver(
      '2026-01-05',
      copy('Z', '2026-01-05T10:00:00Z'),
      copy('a', '2026-01-05T10:00:00Z'),
      copy('a', '2026-01-05T10:00:00Z'),
      copy('\u{1F600}', '2026-01-05T10:00:00Z'),
      copy('\uFFFD', '2026-01-05T10:00:00Z'),
    );
    await run('2026-01-05');
    expect((await harness.rows(curated, where)).map((row) => Object.values(row))).toEqual([
      ['2026-01-05', 't1', '\u{1F600}'],
    ]);
    await deliver('2026-01-06', copy('A', '2026-01-05T10:00:00Z'));
    await run('2026-01-06');
    expect((await harness.rows(curated, where)).map((row) => Object.values(row))).toEqual([
      ['2026-01-06', 't1', 'A'],
    ]);
    expect(await account('2026-01-05')).toEqual({
      read: 5,
      curated: 0,
      audit: 0,
      duplicates: 0,
      superseded: 5,
    });
  });

  test('an unreadable or out-of-range instant loses to any that is not, and a better copy wins even if it is quarantined', async () => {
    await deliver(
      '2026-01-05',
      copy('fine', '2026-01-01T10:00:00Z'),
      copy('odd', 'soon'),
      copy('far', '2026-03-01T10:00:00Z'),
    );
    await run('2026-01-05');
    expect((await harness.rows(curated, where)).map((row) => row['merchant_id'])).toEqual(['fine']);
    await deliver('2026-01-06', copy('bad amount', '2026-01-02T10:00:00Z', 'free'));
    await run('2026-01-06');
    expect(await harness.rows(curated)).toEqual([]);
    expect((await harness.rows(audit, ['ingest_date', 'reasons'])).map((row) => Object.values(row))).toEqual([
      ['2026-01-06', '[amount_not_a_number]'],
    ]);
    expect(await account('2026-01-05')).toEqual({
      read: 3,
      curated: 0,
      audit: 0,
      duplicates: 0,
      superseded: 3,
    });
  });

  test('seven days are near enough, eight are not', async () => {
    await deliver('2026-01-01', copy('first', '2026-01-01T10:00:00Z'));
    await deliver('2026-01-08', copy('second', '2026-01-08T10:00:00Z'));
    await deliver('2026-01-16', copy('third', '2026-01-16T10:00:00Z'));
    await run('2026-01-16', '2026-01-01', '2026-01-08');
    expect((await harness.rows(curated, where)).map((row) => row['merchant_id'])).toEqual([
      'second',
      'third',
    ]);
  });

  test('a copy drops another even when it is itself dropped by a third', async () => {
    await deliver('2026-01-01', copy('first', '2026-01-01T10:00:00Z'));
    await deliver('2026-01-07', copy('second', '2026-01-07T10:00:00Z'));
    await deliver('2026-01-12', copy('third', '2026-01-12T10:00:00Z'));
    await run('2026-01-07', '2026-01-12', '2026-01-01');
    expect((await harness.rows(curated, where)).map((row) => row['merchant_id'])).toEqual(['third']);
  });

  test('records without an id are no copies of one another', async () => {
    await deliver(
      '2026-01-05',
      ' ,m,u,1,USD,APPROVED,2026-01-05T10:00:00Z,US',
      ',m,u,1,USD,APPROVED,2026-01-05T10:00:00Z,US',
    );
    await run('2026-01-05');
    expect(await account('2026-01-05')).toEqual({
      read: 2,
      curated: 0,
      audit: 2,
      duplicates: 0,
      superseded: 0,
    });
  });

  test('a corrected file gives back what the earlier one had dropped', async () => {
    await deliver('2026-01-05', copy('good', '2026-01-05T10:00:00Z'));
    await deliver('2026-01-06', copy('wrong', '2026-01-06T10:00:00Z'));
    await run('2026-01-05', '2026-01-06');
    await deliver('2026-01-06', 't2,other,u,1,USD,APPROVED,2026-01-06T10:00:00Z,US');
    await run('2026-01-06');
    expect((await harness.rows(curated, where)).map((row) => row['merchant_id'])).toEqual(['good', 'other']);
  });
});

test('a failed task tells MiniPaymentsAlerts, with the task, the attempt and the error', async () => {
  await harness.put('landing/payments/2026-01-05/a.csv', 'id,amount\n1,2\n');
  const { outcome } = await harness.run(payments, '2026-01-05');
  expect(outcome).toBe('failed');
  expect(harness.notifications).toMatchObject([
    {
      topic: 'MiniPaymentsAlerts',
      severity: 'error',
      context: { failed: [{ task: 'crawl_raw', attempt: 1 }] },
    },
  ]);
  expect(harness.notifications[0]!.message).toContain('missing txn_id, merchant_id');
});
