import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { customerPurchasesDifferences, paymentsDifferences } from '../oracle/differences.ts';
import type { LakeWithWarehouse } from '../oracle/differences.ts';
import type { Delivery } from '../oracle/rows.ts';
import type { Harness } from '../activities/harness.ts';

function lakeOf(harness: Harness): LakeWithWarehouse {
  const { ledger, objects } = harness.ports;
  return { ledger, location: (key) => objects.location(key), warehouse: (sql) => harness.warehouseRows(sql) };
}

/** Every file delivered for these dates, as it lies in the landing folder. */
async function deliveries(
  harness: Harness,
  pipeline: string,
  dates: readonly string[],
): Promise<readonly Delivery[]> {
  const files = dates.toSorted().map(async (date) => {
    const folder = join(harness.folder, 'lake/landing', pipeline, date);
    const names = (await readdir(folder)).filter((name) => name.endsWith('.csv')).toSorted();
    return Promise.all(
      names.map(async (name) => ({ ingestDate: date, name, bytes: await readFile(join(folder, name)) })),
    );
  });
  return (await Promise.all(files)).flat();
}

const rates = (pipeline: string): Promise<string> =>
  readFile(join(import.meta.dirname, `../../pipelines/${pipeline}/rates.csv`), 'utf8');

/** Where the tables of payments differ from a recomputation from the files of these dates. */
export async function paymentsAgainstFiles(
  harness: Harness,
  dates: readonly string[],
): Promise<readonly string[]> {
  return paymentsDifferences(
    lakeOf(harness),
    await deliveries(harness, 'payments', dates),
    await rates('payments'),
  );
}

/** Where the tables of customer_purchases differ from a recomputation from the files of these dates. */
export async function purchasesAgainstFiles(
  harness: Harness,
  dates: readonly string[],
): Promise<readonly string[]> {
  return customerPurchasesDifferences(
    lakeOf(harness),
    await deliveries(harness, 'customer_purchases', dates),
    await rates('customer_purchases'),
  );
}
