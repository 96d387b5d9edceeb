import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLake } from './lake.ts';
import type { Lake, SourceName } from './lake.ts';

const firstDay = Date.parse('2026-01-20T00:00:00Z') / 86_400_000;

/** Files of some days near one another, and runs over them in any order, some more than once. */
const cases = fc
  .record({
    seed: fc.nat({ max: 1_000_000 }),
    rows: fc.integer({ min: 1, max: 160 }),
    dirtShare: fc.constantFrom(0.002, 0.02),
    offsets: fc.uniqueArray(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 4 }),
    repeats: fc.array(fc.nat({ max: 3 }), { maxLength: 2 }),
  })
  .chain(({ offsets, repeats, ...others }) => {
    const dates = offsets.map((offset) =>
      new Date((firstDay + offset) * 86_400_000).toISOString().slice(0, 10),
    );
    const runs = [...dates, ...repeats.map((index) => dates[index % dates.length]!)];
    return fc.record({
      ...(Object.fromEntries(Object.entries(others).map(([name, value]) => [name, fc.constant(value)])) as {
        [Name in keyof typeof others]: fc.Arbitrary<(typeof others)[Name]>;
      }),
      dates: fc.constant(dates.toSorted()),
      runs: fc.shuffledSubarray(runs, { minLength: runs.length }),
    });
  });

async function accountsOf(lake: Lake, source: SourceName): Promise<unknown> {
  const accounts = await lake.harness.ports.ledger.accounts(source);
  return Object.fromEntries(
    accounts.map(({ partition, read, parts }) => [
      partition.slice(-10),
      { read, curated: 0, audit: 0, duplicates: 0, superseded: 0, ...parts },
    ]),
  );
}

test.each<[SourceName, Record<string, number>]>([
  ['payments', { undecodable: 0.01, quote_astray: 0.01 }],
  ['customer_purchases', { undecodable: 0.01 }],
])(
  'whatever files of %s there are and in whatever order they are run, accounts equal the truth and tables the oracle',
  { timeout: 400_000 },
  async (source, dirt) => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ runs, ...generation }) => {
        await using lake = await openLake();
        const files = await lake.generate(source, { ...generation, dirt });
        for (const date of runs)
          expect(await lake.run(source, date)).toMatchObject({ outcome: 'success', failures: {} });
        expect(await accountsOf(lake, source)).toEqual(
          Object.fromEntries(files.map(({ date, truth }) => [date, truth.account])),
        );
        expect(await lake.differences(source, generation.dates)).toEqual([]);
      }),
      { numRuns: 12 },
    );
  },
);

test('the comparison with the oracle sees a day that was not run, in every table', async () => {
  await using lake = await openLake();
  const dates = ['2026-01-20', '2026-01-21'];
  await lake.generate('payments', { seed: 1, rows: 60, dates });
  await lake.run('payments', dates[0]!);
  const tables = (await lake.differences('payments', dates)).map((difference) =>
    difference.slice(0, difference.indexOf(': ')),
  );
  expect(new Set(tables)).toEqual(
    new Set([
      'payments.curated',
      'payments.audit',
      'account payments',
      'payments.quality_summary',
      'payments.daily_totals',
      'payments.merchant_kpis',
      'warehouse merchant_kpis',
    ]),
  );
});
