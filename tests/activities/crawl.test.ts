import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { dag, contract, crawlTable, sqlModel, ownDate } from '../../activities/index.ts';
import { openHarness } from './harness.ts';
import type { Harness } from './harness.ts';
import type { CrawledTable, RawCrawler } from '../../ports/raw-crawler.ts';
import { csv, intake, models, raw, takeIn, typed } from './shop.ts';

const date = '2026-01-05';
const landing = `landing/sales/${date}`;

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

const row = 'a1,1,2026-01-05T10:00:00Z,north';
const wider = 'id,price,at,shop,discount\na1,1,2026-01-05T10:00:00Z,north,5\n';
const narrower = 'id,price,at\na1,1,2026-01-05T10:00:00Z\n';
const swapped = 'price,id,at,shop\n1,a1,2026-01-05T10:00:00Z,north\n';

test('files as declared are reported without drift', async () => {
  await harness.put(`${landing}/a.csv`, csv(row));
  expect((await harness.run(intake(), date)).outputs['crawl']).toMatchObject({
    partitions: 1,
    files: 1,
    drift: [],
    setAside: [],
  });
});

test('evolve: a new column is registered with a warning, and its values are kept', async () => {
  await harness.put(`${landing}/a.csv`, wider);
  const { outputs, warnings } = await harness.run(intake('evolve'), date);
  expect(outputs['crawl']).toMatchObject({
    drift: [{ file: `raw/sales/day=${date}/a.csv`, added: ['discount'], missing: [] }],
  });
  expect(warnings).toEqual(['Drift from the contract of shop.sales: new discount']);
  const table = (await harness.ports.ledger.tables()).find(({ name }) => name === raw.name)!;
  expect(table.columns.at(-1)).toMatchObject({ name: 'discount', type: 'text', nullable: true });
  expect(await harness.rows({ ...raw, table }, ['id', 'discount'])).toEqual([{ id: 'a1', discount: '5' }]);
});

test.each([
  ['missing', narrower, 'missing shop'],
  ['moved', swapped, 'not in their place id, price'],
])('evolve: a %s column fails with both schemas', async (_, content, what) => {
  await harness.put(`${landing}/a.csv`, content);
  const { failures } = await harness.run(intake('evolve'), date);
  expect(failures['crawl']).toContain('id text, price decimal(9,2), at timestamp, shop text');
  expect(failures['crawl']).toContain(`has the columns ${content.split('\n')[0]!.replaceAll(',', ', ')}`);
  expect(failures['crawl']).toContain(what);
});

test('a column whose values no longer read as its type fails', async () => {
  await harness.put(
    `${landing}/a.csv`,
    csv(
      ...Array.from(
        { length: 120 },
        (_, index) => `a${index},2026-01-0${1 + (index % 9)},2026-01-05T10:00:00Z,north`,
      ),
    ),
  );
  expect((await harness.run(intake(), date)).failures['crawl']).toContain(
    'price no longer reads as decimal(9,2) (0 of 120 sampled values do)',
  );
});

test('a few values that do not read as their type are no drift', async () => {
  await harness.put(
    `${landing}/a.csv`,
    csv('a1,x,2026-01-05T10:00:00Z,north', 'a2,y,2026-01-05T10:00:00Z,north'),
  );
  expect((await harness.run(intake(), date)).outcome).toBe('success');
});

test('freeze: a new column fails', async () => {
  await harness.put(`${landing}/a.csv`, wider);
  expect((await harness.run(intake('freeze'), date)).failures['crawl']).toContain('new discount');
});

test('quarantine: a file that lacks a column is set aside, the others are read', async () => {
  await harness.put(`${landing}/a.csv`, narrower);
  await harness.put(`${landing}/b.csv`, csv('b1,1,2026-01-05T10:00:00Z,north'));
  const { outputs, outcome } = await harness.run(intake('quarantine'), date);
  expect(outcome).toBe('success');
  expect(outputs['crawl']).toMatchObject({ files: 2, setAside: [`raw/sales/day=${date}/a.csv`] });
  expect(await harness.rows(raw, ['id'])).toEqual([{ id: 'b1' }]);
});

const other = contract({
  table: 'shop.other',
  zone: 'bronze',
  description: 'Written with one contract, crawled with another.',
  partitionBy: ['day'],
  columns: { day: 'date', id: 'text', price: 'decimal(9,2)' },
});

function crawlingStored(expected: typeof other) {
  const write = sqlModel({
    folder: models('stray/'),
    reads: { raw: { of: raw, at: ownDate('day') } },
    writes: { other: { to: other, owns: ownDate('day') } },
  });
  return dag('stored', { schedule: '@daily', defaults: { retries: 0 } }, ({ task }) => {
    const taken = task('ingest', takeIn, { input: null });
    const written = task('write', write, { raw: taken.output.records });
    task('crawl', crawlTable(expected), written.output.other);
  });
}

test('a stored table is registered as its contract has it', async () => {
  await harness.put(`${landing}/a.csv`, csv(row));
  expect((await harness.run(crawlingStored(other), date)).outcome).toBe('success');
  expect((await harness.ports.ledger.tables()).find(({ name }) => name === other.name)!.columns).toEqual(
    other.table.columns,
  );
});

test('stored files of another schema than the contract fail with both', async () => {
  await harness.put(`${landing}/a.csv`, csv(row));
  const changed = {
    ...other,
    table: {
      ...other.table,
      columns: [...other.table.columns.slice(0, 2), { name: 'price', type: 'int' as const, nullable: false }],
    },
  };
  const { failures } = await harness.run(crawlingStored(changed), date);
  expect(failures['crawl']).toContain('id text, price int');
  expect(failures['crawl']).toContain('price: int, found decimal(9,2)');
});

test('typed rows of a day keep null beside the text that did not cast', async () => {
  expect(typed.table.columns.map(({ name }) => name)).toEqual([
    'day',
    'source_file',
    'line_number',
    'id',
    'price',
    'price_text',
    'at',
    'at_text',
    'shop',
    'shop_text',
    'verbatim',
    'malformed',
    'raw',
  ]);
});

/** A crawler whose crawl takes two looks and finds what it was told. */
function crawlerOf(tables: readonly CrawledTable[]): RawCrawler & { readonly crawled: readonly string[] } {
  const crawled: string[] = [];
  let looks = 0;
  return {
    name: 'test-crawler',
    crawled,
    start: async (prefix) => {
      crawled.push(prefix);
      return { service: 'test-crawler', id: prefix, label: `crawl of ${prefix}` };
    },
    look: async () => ({ state: (looks += 1) > 1 ? 'ended' : 'running', note: '' }),
    stop: async () => undefined,
    collect: async () => (looks > 1 ? tables : []),
  };
}

test('a crawler looks at the folder of all dates, and what its table has otherwise is told, not judged', async () => {
  await harness.put(`${landing}/a.csv`, csv(row));
  const guess = (name: string, type: 'text' | 'double') => ({ name, type, nullable: true });
  const crawler = crawlerOf([
    {
      name: 'sales',
      columns: [
        guess('ID', 'text'),
        guess('price', 'double'),
        guess('shop', 'text'),
        guess('note', 'text'),
        guess('day', 'text'),
      ],
      partitionBy: ['day'],
      partitions: 1,
    },
  ]);
  const { outputs, warnings } = await harness.run(intake('freeze'), date, {}, { crawler });
  expect(crawler.crawled).toEqual(['raw/sales/']);
  expect(outputs['crawl']).toMatchObject({
    drift: [],
    crawled: [
      {
        table: 'sales',
        partitions: 1,
        columns: ['ID text', 'price double', 'shop text', 'note text'],
        missing: ['at'],
        added: ['note'],
      },
    ],
  });
  expect(warnings).toEqual([
    "The crawler's table sales differs from the contract of shop.sales: missing at; new note",
  ]);
});
