import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { generateCustomerPurchases } from '../../pipelines/customer_purchases/generator.ts';
import { customerPurchases } from '../../pipelines/customer_purchases/pipeline.ts';
import { openHarness } from '../activities/harness.ts';
import type { Harness } from '../activities/harness.ts';
import { purchasesAgainstFiles } from './recomputed.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function run(dates: readonly string[]): Promise<void> {
  for (const date of dates)
    expect(await harness.run(customerPurchases, date)).toMatchObject({ outcome: 'success', failures: {} });
}

const days = ['2025-12-31', '2026-01-01', '2026-01-02', '2026-01-05', '2026-01-12'];
const orders: readonly (readonly [string, readonly string[]])[] = [
  ['in order', days],
  ['backwards', days.toReversed()],
  ['twice, mixed', [days[2]!, days[0]!, days[4]!, days[0]!, days[1]!, days[3]!, days[2]!, days[4]!]],
];

describe.each([1, 2])('files of seed %i', (seed) => {
  test.each(orders)('give the recomputed tables when their days run %s', async (_, order) => {
    await generateCustomerPurchases({
      seed,
      rows: 1_500,
      dates: days,
      into: join(harness.folder, 'lake'),
      dirtShare: 0.01,
    });
    await run(order);
    expect(await purchasesAgainstFiles(harness, days)).toEqual([]);
  });
});
