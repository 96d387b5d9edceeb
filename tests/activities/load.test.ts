import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { dag, load, upsert, warehouseTable } from '../../activities/index.ts';
import { openHarness } from './harness.ts';
import type { Harness } from './harness.ts';
import { csv, models, takeIn, toTyped, typed } from './shop.ts';

const noon = '2026-01-05T12:00:00Z';
const columns = { day: 'date', id: 'text', price: { type: 'decimal(9,2)', nullable: true } } as const;
const sales = warehouseTable({ name: 'sales', columns, primaryKey: ['day', 'id'] });
const staged = warehouseTable({ name: 'prices_staging', columns, primaryKey: ['day', 'id'] });
const best = warehouseTable({
  name: 'prices',
  columns: { id: 'text', price: { type: 'decimal(9,2)', nullable: true } },
  primaryKey: ['id'],
  indexes: ['(price desc)'],
});
const slice = {
  from: typed,
  connection: 'warehouse',
  days: [-1, 1] as const,
  partition: (day: string) => ({ day }),
  sliceColumn: 'day',
};

const loading = dag('loading', { schedule: '@daily', defaults: { retries: 0 } }, ({ task }) => {
  const taken = task('ingest', takeIn, { input: null });
  const made = task('type', toTyped, { raw: taken.output.records });
  task('load', load({ ...slice, target: sales }), made.output.typed);
  task(
    'upsert',
    upsert({ ...slice, staging: staged, target: best, folder: models('best/'), recompute: 'best' }),
    made.output.typed,
  );
});

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function run(date: string, ...rows: readonly string[]) {
  await harness.put(`landing/sales/${date}/a.csv`, csv(...rows));
  const result = await harness.run(loading, date);
  expect(result.failures).toEqual({});
  return result.outputs;
}

const loaded = () => harness.warehouseRows('select day::text, id, price::text from sales order by 1, 2');
const prices = () => harness.warehouseRows('select id, price::text from prices order by 1');

test('a slice replaces its own rows only, and the target follows all of staging', async () => {
  await run('2026-01-05', `a1,1,${noon},`, `a2,2,${noon},`);
  expect(await run('2026-01-06', `a2,5,${noon},`, `a3,3,${noon},`)).toMatchObject({
    load: { slices: 2, stale: 0, copied: 4 },
    upsert: { slices: 2, stale: 0, copied: 4 },
  });
  expect(await prices()).toEqual([
    ['a1', '1.00'],
    ['a2', '5.00'],
    ['a3', '3.00'],
  ]);

  await run('2026-01-06', `a3,9,${noon},`);
  expect(await loaded()).toEqual([
    ['2026-01-05', 'a1', '1.00'],
    ['2026-01-05', 'a2', '2.00'],
    ['2026-01-06', 'a3', '9.00'],
  ]);
  expect(await prices()).toEqual([
    ['a1', '1.00'],
    ['a2', '2.00'],
    ['a3', '9.00'],
  ]);
});

test('a key with nothing left disappears', async () => {
  await run('2026-01-05', `a1,1,${noon},`);
  await run('2026-01-05');
  expect(await loaded()).toEqual([]);
  expect(await prices()).toEqual([]);
});

test('loading again what is there changes nothing, not even updated_at', async () => {
  await run('2026-01-05', `a1,1,${noon},`);
  const before = await harness.warehouseRows('select *, xmin from prices');
  await run('2026-01-05', `a1,1,${noon},`);
  expect(await harness.warehouseRows('select *, xmin from prices')).toEqual(before);
});

test('a slice loaded from a newer publication is left alone', async () => {
  await run('2026-01-05', `a1,1,${noon},`);
  const warehouse = await harness.ports.warehouse('warehouse');
  const rows = async function* (): AsyncIterable<Uint8Array> {
    yield Buffer.from('2026-01-05,newer,7\n');
  };
  await warehouse.replaceSlice({
    target: sales,
    staging: null,
    slice: { column: 'day', value: '2026-01-05' },
    publication: 1_000_000,
    columns: ['day', 'id', 'price'],
    rows: rows(),
  });
  expect(await run('2026-01-05', `a1,2,${noon},`)).toMatchObject({
    load: { slices: 1, stale: 1, copied: 0 },
  });
  expect(await loaded()).toEqual([['2026-01-05', 'newer', '7.00']]);
});
