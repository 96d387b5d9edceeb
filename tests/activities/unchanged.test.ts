import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { contract, dag, sqlModel, wholeTable, window } from '../../activities/index.ts';
import { openHarness } from './harness.ts';
import type { Harness, RunResult } from './harness.ts';
import { csv, models, takeIn, toTyped, typed } from './shop.ts';

const noon = '2026-01-05T12:00:00Z';
const cheap = contract({
  table: 'shop.cheap',
  zone: 'gold',
  description: 'Cheap sales.',
  partitionBy: ['day'],
  columns: { day: 'date', id: 'text', price: 'decimal(9,2)' },
});
const totals = contract({
  table: 'shop.totals',
  zone: 'gold',
  description: 'One row over all days.',
  partitionBy: [],
  columns: { sales: 'bigint', income: 'decimal(18,2)' },
});

/** Days after one another share what they write: each run writes the day before and after its own as well. */
const byDay = sqlModel({
  folder: models('cheap/'),
  reads: { typed: { of: typed, at: window('day', -1, 1) } },
  writes: { cheap: { to: cheap, owns: window('day', -1, 1) } },
  slices: { days: [-1, 1], date: ({ day }) => day ?? null, reach: [0, 0] },
});
const allDays = sqlModel({
  folder: models('totals/'),
  reads: { typed: { of: typed, at: wholeTable } },
  writes: { totals: { to: totals, owns: wholeTable }, cheap: { to: cheap, owns: window('day', -30, 30) } },
});

function shop(body: typeof byDay | typeof allDays) {
  return dag(
    'shop',
    { schedule: '@daily', params: { note: { type: 'string', default: '' } }, defaults: { retries: 0 } },
    ({ task }) => {
      const taken = task('ingest', takeIn, { input: null });
      const made = task('type', toTyped, { raw: taken.output.records });
      task('sum', body as typeof byDay, { typed: made.output.typed });
    },
  );
}

let harness: Harness;
let skipUnchanged = false;
beforeEach(async () => {
  skipUnchanged = false;
  harness = await openHarness({ postgresUrl: inject('postgresUrl'), skipUnchanged: () => skipUnchanged });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function deliver(date: string, ...rows: readonly string[]): Promise<void> {
  await harness.put(`landing/sales/${date}/a.csv`, csv(...rows));
}

async function versions(): Promise<Record<string, number>> {
  const tables = await harness.ports.ledger.tables();
  const all = await Promise.all(tables.map(({ name }) => harness.ports.ledger.partitions(name)));
  return Object.fromEntries(all.flat().map((each) => [`${each.table}/${each.partitionText}`, each.version]));
}

/** Which tasks left how much alone. */
async function left({ runId }: RunResult): Promise<Record<string, unknown>> {
  const events = await harness.ports.ledger.events({ keyPrefix: `unchanged/${runId}/` });
  return Object.fromEntries(events.map(({ payload }) => [payload['task'], payload['partitions']]));
}

async function changed(before: Record<string, number>): Promise<string[]> {
  const now = await versions();
  return Object.keys(now)
    .filter((name) => now[name] !== before[name])
    .sort();
}

test('a run that finds everything as it was publishes nothing, says so, and answers what it would have', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`, `a2,50,${noon},north`);
  const first = await harness.run(shop(byDay), '2026-01-05');
  const before = await versions();
  skipUnchanged = true;
  const again = await harness.run(shop(byDay), '2026-01-05');
  expect(again.failures).toEqual({});
  expect(await changed(before)).toEqual([]);
  expect(again.outputs).toEqual(first.outputs);
  expect(await left(again)).toEqual({ ingest: 2, type: 1, sum: 1 });
  expect(await harness.ports.ledger.history({ runId: again.runId })).toEqual([]);
});

test('without the flag everything is computed again', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`);
  await harness.run(shop(byDay), '2026-01-05');
  const before = await versions();
  const again = await harness.run(shop(byDay), '2026-01-05');
  expect(await changed(before)).toEqual(Object.keys(before).sort());
  expect(await left(again)).toEqual({});
});

test('dates that several runs write are told apart: only those whose inputs changed get new versions', async () => {
  for (const day of ['05', '06', '07']) await deliver(`2026-01-${day}`, `a1,1,${noon},north`);
  for (const day of ['05', '06', '07']) await harness.run(shop(byDay), `2026-01-${day}`);
  const before = await versions();
  skipUnchanged = true;
  for (const day of ['05', '06', '07']) await harness.run(shop(byDay), `2026-01-${day}`);
  expect(await changed(before)).toEqual([]);
  await deliver('2026-01-06', `a1,2,${noon},north`, `a2,3,${noon},north`);
  const run = await harness.run(shop(byDay), '2026-01-06');
  expect(run.failures).toEqual({});
  expect(await left(run)).toEqual({ sum: 2 });
  expect(await changed(before)).toEqual([
    'shop.cheap/day=2026-01-06',
    'shop.raw/day=2026-01-06',
    'shop.raw_files/day=2026-01-06',
    'shop.typed/day=2026-01-06',
  ]);
  expect((await harness.rows(cheap)).map((row) => [row['day'], row['id'], row['price']].join(' '))).toEqual([
    '2026-01-05 a1 1.00',
    '2026-01-06 a1 2.00',
    '2026-01-06 a2 3.00',
    '2026-01-07 a1 1.00',
  ]);
});

test('a slice that came out empty is known to be so', async () => {
  await deliver('2026-01-05', `a1,90,${noon},north`);
  await harness.run(shop(byDay), '2026-01-05');
  skipUnchanged = true;
  const again = await harness.run(shop(byDay), '2026-01-05');
  expect(await left(again)).toMatchObject({ sum: 0 });
  expect(await harness.ports.ledger.history({ runId: again.runId })).toEqual([]);
});

test('what somebody else wrote meanwhile is computed again, though the inputs are the same', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`);
  await harness.run(shop(byDay), '2026-01-05');
  const other = dag('other', { schedule: '@daily', defaults: { retries: 0 } }, ({ task }) => {
    task('sum', byDay, { typed: { table: 'shop.typed', partitions: 1, rows: 1 } });
  });
  await harness.run(other, '2026-01-05');
  const before = await versions();
  skipUnchanged = true;
  await harness.run(shop(byDay), '2026-01-05');
  expect(await changed(before)).toEqual(['shop.cheap/day=2026-01-05']);
});

test('other SQL, another contract or other parameters are another recipe', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`);
  await harness.run(shop(byDay), '2026-01-05');
  skipUnchanged = true;
  const params = await harness.run(shop(byDay), '2026-01-05', { note: 'x' });
  expect(await left(params)).toEqual({});
  const sql = await harness.run(shop(allDays), '2026-01-05', { note: 'x' });
  expect(await left(sql)).toEqual({ ingest: 2, type: 1 });
  const same = await harness.run(shop(allDays), '2026-01-05', { note: 'x' });
  expect(await left(same)).toEqual({ ingest: 2, type: 1, sum: 2 });
});

test('a table read as a whole: a new partition anywhere is a change', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`);
  await deliver('2026-01-09', `a1,1,${noon},north`);
  await harness.run(shop(allDays), '2026-01-05');
  await harness.run(shop(allDays), '2026-01-09');
  skipUnchanged = true;
  const run = await harness.run(shop(allDays), '2026-01-05');
  expect(await left(run)).toEqual({ ingest: 2, type: 1 });
  expect((await harness.rows(totals))[0]).toEqual({ sales: '2', income: '2.00' });
});

test('a function of the user’s own runs whatever happens', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`);
  const custom = dag('custom', { schedule: '@daily', defaults: { retries: 0 } }, ({ task }) => {
    const taken = task('ingest', takeIn, { input: null });
    task('type', toTyped, { raw: taken.output.records });
    task('function', (_: undefined, context) => context.ports.ledger.tables().then((all) => all.length));
  });
  await harness.run(custom, '2026-01-05');
  skipUnchanged = true;
  const again = await harness.run(custom, '2026-01-05');
  expect(again.outputs['function']).toBe(3);
  expect(await left(again)).toEqual({ ingest: 2, type: 1 });
});
