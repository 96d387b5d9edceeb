import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { contract, dag, lookup, ownDate } from '../../activities/index.ts';
import { openHarness } from './harness.ts';
import type { Harness } from './harness.ts';
import { csv, models, raw, takeIn } from './shop.ts';

const date = '2026-01-05';
const spellings = contract({
  table: 'shop.spellings',
  zone: 'bronze',
  description: 'Ids, upper-cased.',
  partitionBy: ['day'],
  columns: { day: 'date', text: 'text', loud: 'text', length: 'text' },
});

const spell = dag('spelling', { schedule: '@daily', defaults: { retries: 0 } }, ({ task }) => {
  const taken = task('ingest', takeIn, { input: null });
  const body = lookup({
    folder: models('spell/'),
    texts: 'texts',
    from: raw,
    as: 'raw',
    at: ownDate('day'),
    to: spellings,
    owns: ownDate('day'),
    version: '1',
    columns: {
      loud: (text) => text.toUpperCase(),
      length: (text) => (text.length > 3 ? String(text.length) : ''),
    },
  });
  task('spell', body, taken.output.records);
});

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

test('each distinct text is answered once, whatever characters it holds', async () => {
  const texts = [
    'straße',
    'a,b',
    'say ""hi""',
    'two\nlines',
    'cr\r\nlf',
    ' spaces ',
    'ça va',
    '日本',
    "o'neil",
    '\\N',
    'ﬁ',
  ];
  await harness.put(
    `landing/sales/${date}/a.csv`,
    csv(...texts.map((text) => `"${text}",1,,`), 'ça va,2,,', ',3,,'),
  );
  expect((await harness.run(spell, date)).failures).toEqual({});
  const expected = texts
    .map((text) => text.replaceAll('""', '"'))
    .map((text) => ({ text, loud: text.toUpperCase(), length: text.length > 3 ? String(text.length) : '' }));
  const byText = (a: { text: unknown }, b: { text: unknown }): number =>
    Buffer.compare(Buffer.from(String(a.text)), Buffer.from(String(b.text)));
  expect((await harness.rows(spellings, ['text', 'loud', 'length'])).toSorted(byText as never)).toEqual(
    expected.toSorted(byText),
  );
});

test('a hundred thousand texts pass through', async () => {
  const rows = Array.from({ length: 100_000 }, (_, index) => `name ${index},1,,`);
  await harness.put(`landing/sales/${date}/a.csv`, csv(...rows));
  expect((await harness.run(spell, date)).outputs['spell']).toEqual({
    table: 'shop.spellings',
    partitions: 1,
    rows: 100_000,
  });
});

test('a day without texts gets an empty table', async () => {
  await harness.put(`landing/sales/${date}/a.csv`, csv());
  expect((await harness.run(spell, date)).failures).toEqual({});
  expect(await harness.rows(spellings)).toEqual([]);
});
