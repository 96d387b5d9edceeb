import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { payments } from '../../pipelines/payments/pipeline.ts';
import { openHarness } from '../activities/harness.ts';
import type { Harness } from '../activities/harness.ts';

const header = 'txn_id,merchant_id,user_id,amount,currency,status,txn_ts,country';
const dates = ['2026-01-01', '2026-01-05', '2026-01-20'];

let harness: Harness;
let skipUnchanged: boolean;
beforeEach(async () => {
  skipUnchanged = false;
  harness = await openHarness({ postgresUrl: inject('postgresUrl'), skipUnchanged: () => skipUnchanged });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function deliver(date: string, ...rows: readonly string[]): Promise<void> {
  await harness.put(`landing/payments/${date}/${date}.csv`, `${[header, ...rows].join('\r\n')}\r\n`);
}

const row = (id: string, at: string, amount = '1.00'): string =>
  `${id},m1,u1,${amount},USD,APPROVED,${at}T10:00:00Z,US`;

async function versions(): Promise<Map<string, number>> {
  const tables = await harness.ports.ledger.tables();
  const all = await Promise.all(tables.map(({ name }) => harness.ports.ledger.partitions(name)));
  return new Map(all.flat().map((each) => [`${each.table}/${each.partitionText}`, each.version]));
}

/** Rows of every table, whatever file they are in. */
async function contents(): Promise<unknown> {
  const found = await harness.warehouseRows(
    'select txn_date, merchant_id, gross, net, p50, active_users from merchant_kpis order by 1, 2',
  );
  return found;
}

async function run(...which: readonly string[]): Promise<void> {
  for (const date of which) expect((await harness.run(payments, date)).failures).toEqual({});
}

test('dates that were run one after the other are left alone when they are run again, though each run rewrote its neighbours', async () => {
  for (const date of dates) await deliver(date, row(`t-${date}`, date));
  await run(...dates);
  const before = await versions();
  skipUnchanged = true;
  await run(...dates);
  expect(await versions()).toEqual(before);
});

test('a file that changes is worked in with all it touches, and nothing else gets a new version', async () => {
  for (const date of dates) await deliver(date, row(`t-${date}`, date));
  await run(...dates);
  const before = await versions();
  skipUnchanged = true;
  // The same transaction a few days later: the copy of the first of January is superseded.
  await deliver('2026-01-05', row('t-2026-01-01', '2026-01-05', '2.00'), row('t-2026-01-05', '2026-01-05'));
  await run(...dates);
  const after = await versions();
  const touched = [...after.keys()].filter((name) => before.get(name) !== after.get(name));
  expect(touched.filter((name) => name.includes('2026-01-20'))).toEqual([]);
  expect(touched).toEqual(expect.arrayContaining(['payments.bronze/ingest_date=2026-01-05']));
  expect(touched).not.toContain('payments.bronze/ingest_date=2026-01-01');
  const kept = await contents();
  skipUnchanged = false;
  await run(...dates);
  expect(await contents()).toEqual(kept);
});
