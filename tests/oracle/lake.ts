import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { inject } from 'vitest';
import type { GeneratedFile, GenerateOptions } from '../../pipelines/generators/index.ts';
import { generators } from '../../pipelines/generators/index.ts';
import { dags } from '../../pipelines/index.ts';
import { openHarness } from '../activities/harness.ts';
import type { Harness, HarnessOptions, RunResult } from '../activities/harness.ts';
import { customerPurchasesDifferences, paymentsDifferences } from './differences.ts';
import type { LakeWithWarehouse } from './differences.ts';
import type { Delivery } from './rows.ts';

export const sources = ['payments', 'customer_purchases'] as const;
export type SourceName = (typeof sources)[number];

/** Generated files in a lake of their own, runs over them, and the oracle's word on the result. */
export interface Lake extends AsyncDisposable {
  readonly harness: Harness;
  generate(
    source: SourceName,
    options: Pick<GenerateOptions, 'seed' | 'rows' | 'dates'> & Partial<GenerateOptions>,
  ): Promise<readonly GeneratedFile[]>;
  run(source: SourceName, date: string): Promise<RunResult>;
  /** What is different from the oracle's tables for the generated files of `dates`. */
  differences(source: SourceName, dates: readonly string[]): Promise<string[]>;
}

export async function openLake(options: Partial<HarnessOptions> = {}): Promise<Lake> {
  const harness = await openHarness({ postgresUrl: inject('postgresUrl'), ...options });
  const files = new Map<string, Delivery[]>();
  const view: LakeWithWarehouse = {
    ledger: harness.ports.ledger,
    location: (key) => harness.ports.objects.location(key),
    warehouse: (sql) => harness.warehouseRows(sql),
  };
  return {
    harness,
    generate: async (source, generation) => {
      const made = await generators[source]!.generate({ into: join(harness.folder, 'lake'), ...generation });
      for (const file of made) files.set(`${source} ${file.date}`, await deliveriesOf(file));
      return made;
    },
    run: (source, date) =>
      harness.run(
        dags.find(({ id }) => id === source)!,
        date,
      ),
    differences: async (source, dates) => {
      const delivered = dates.flatMap((date) => files.get(`${source} ${date}`) ?? []);
      const rates = await readFile(new URL(`../../pipelines/${source}/rates.csv`, import.meta.url), 'utf8');
      return source === 'payments'
        ? paymentsDifferences(view, delivered, rates)
        : customerPurchasesDifferences(view, delivered, rates);
    },
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  };
}

function deliveriesOf({ date, paths }: GeneratedFile): Promise<Delivery[]> {
  return Promise.all(
    paths.map(async (path) => ({ ingestDate: date, name: basename(path), bytes: await readFile(path) })),
  );
}
