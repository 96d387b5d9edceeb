import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { check, notNull, rowCount, unique } from '../../activities/index.ts';
import { openHarness } from './harness.ts';
import type { Harness } from './harness.ts';
import { accepted, allRules, checking, csv, datasetRules, quarantine, summaries } from './shop.ts';

const date = '2026-01-05';
const noon = '2026-01-05T12:00:00Z';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function deliver(...rows: readonly string[]): Promise<void> {
  await harness.put(`landing/sales/${date}/a.csv`, csv(...rows));
}

test('a row is quarantined with every rule it breaks, sorted by name, and kept with those that only warn', async () => {
  await deliver(
    `a1,10,${noon},north`,
    `a2,3,${noon},SOUTH`,
    `,x,${noon},west`,
    `B-9,0,${noon},north`,
    `a3,100.01,${noon},north`,
    `b7,100,${noon},north`,
    'only,three,fields',
    `a1,11,${noon},north`,
  );
  expect((await harness.run(checking(allRules), date)).failures).toEqual({});
  expect(await harness.rows(accepted)).toEqual([
    { day: date, id: 'a1', price: '10.00', shop: 'NORTH' },
    { day: date, id: 'a2', price: '3.00', shop: 'SOUTH' },
    { day: date, id: 'b7', price: '100.00', shop: 'NORTH' },
  ]);
  expect(await harness.rows(quarantine, ['line_number', 'reasons', 'raw'])).toEqual([
    { line_number: '4', reasons: '[no_id, no_price, odd_id, unknown_shop]', raw: '' },
    { line_number: '5', reasons: '[odd_id, price_out_of_bounds]', raw: 'B-9' },
    { line_number: '6', reasons: '[price_out_of_bounds]', raw: 'a3' },
    { line_number: '8', reasons: '[malformed_row]', raw: 'only,three,fields' },
  ]);
  expect(await harness.ports.ledger.accounts('shop')).toMatchObject([
    { partition: `day=${date}`, read: 8, parts: { accepted: 3, quarantine: 4, repeated: 1 } },
  ]);
  const results = await harness.ports.ledger.ruleResults({ table: accepted.name });
  const counts = Object.fromEntries(
    results.map(({ rule, outcome, checked, failed }) => [rule, [outcome, checked, failed]]),
  );
  expect(counts).toEqual({
    no_id: ['warn', 6, 1],
    no_price: ['warn', 6, 1],
    price_out_of_bounds: ['warn', 6, 2],
    odd_id: ['warn', 6, 2],
    unknown_shop: ['warn', 6, 1],
    id_not_known: ['warn', 6, 3],
    price_is_odd: ['warn', 6, 2],
  });
});

test('the summary of a slice is one JSON object', async () => {
  await deliver(`a1,60,${noon},north`, `a1,1,${noon},north`, `,2,${noon},`, 'x');
  await harness.run(
    checking([
      notNull('id', { name: 'no_id' }),
      check('price_is_odd', 't.price % 2 = 0', { severity: 'warn' }),
    ]),
    date,
  );
  const rows = await harness.rows(summaries);
  expect(JSON.parse(String(rows[0]!['summary']))).toEqual({
    day: date,
    verdict: 'warn',
    rows: { bronze: 4, curated: 1, audit: 2, repeated: 1 },
    dear: 1,
    malformed_rows: 1,
    rules: {
      no_id: { severity: 'error', outcome: 'warn', passed: 1, failed: 1 },
      price_is_odd: { severity: 'warn', outcome: 'pass', passed: 2, failed: 0 },
    },
    null_rates: { id: 0.333333, price: 0, at: 0, shop: 0.333333 },
  });
  const [publication] = await harness.ports.ledger.history({ table: accepted.name, limit: 1 });
  expect(publication!.summary).toMatchObject({
    [`day=${date}`]: { quarantined: { no_id: 1, malformed_row: 1 } },
  });
  expect(publication!.verdict).toBe('warn');
});

test('dataset rules look at all accepted rows of a slice', async () => {
  await deliver(
    `twice,1,2026-01-01T00:00:00Z,north`,
    `twice,2,2026-01-01T00:00:00Z,south`,
    `a1,3,2026-01-01T00:00:00Z,`,
  );
  expect((await harness.run(checking(datasetRules), date)).failures).toEqual({});
  const results = await harness.ports.ledger.ruleResults({ table: accepted.name });
  expect(Object.fromEntries(results.map(({ rule, outcome, failed }) => [rule, [outcome, failed]]))).toEqual({
    id_twice: ['warn', 1],
    row_count: ['pass', 0],
    completeness_shop: ['pass', 0],
    freshness_at: ['warn', 1],
    too_many_accepted: ['pass', 0],
  });
});

test.each([
  ['a dataset rule', [unique('id')], 'rule unique_id failed for 1 of 2'],
  [
    'a row rule with mostly',
    [check('cheap', 't.price < 2', { mostly: 0.6 })],
    'rule cheap failed for 1 of 2',
  ],
  ['a row count', [rowCount({ max: 1 })], 'rule row_count failed'],
])('%s that fails blocks publishing', async (_, rules, message) => {
  await deliver(`twice,1,${noon},north`, `twice,2,${noon},north`);
  expect((await harness.run(checking(rules), date)).failures['check']).toContain(message);
  expect(await harness.ports.ledger.partitions(accepted.name)).toEqual([]);
});

test('too few rows are noticed also when there are none', async () => {
  await deliver();
  const { failures } = await harness.run(checking([rowCount({ min: 1 })]), date);
  expect(failures['check']).toContain('rule row_count failed for 1 of 0');
});

test('a share that is still good enough does not block', async () => {
  await deliver(`a1,1,${noon},north`, `a2,2,${noon},north`);
  expect((await harness.run(checking([check('cheap', 't.price < 2', { mostly: 0.5 })]), date)).outcome).toBe(
    'success',
  );
});

test('a slice without rows has a verdict and an account too', async () => {
  await deliver();
  expect((await harness.run(checking(allRules), date)).failures).toEqual({});
  expect(await harness.ports.ledger.accounts('shop')).toMatchObject([
    { read: 0, parts: { accepted: 0, quarantine: 0, repeated: 0 } },
  ]);
  expect(JSON.parse(String((await harness.rows(summaries))[0]!['summary']))).toMatchObject({
    verdict: 'pass',
    rows: { bronze: 0 },
  });
});
