import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generators } from '../../pipelines/generators/index.ts';
import type { GeneratedFile, GenerateOptions, Truth } from '../../pipelines/generators/index.ts';
import { recomputeCustomerPurchases } from '../oracle/customer-purchases.ts';
import { recomputePayments } from '../oracle/payments.ts';
import type { DayAccount, Delivery, TextRow } from '../oracle/rows.ts';

const currencies = 'AUD BRL CAD EUR GBP INR JPY SGD USD'.split(' ');
const rates = [
  'currency,valid_from,rate',
  ...currencies.map((currency) => `${currency},2000-01-01,1.1`),
].join('\n');
const sources = Object.keys(generators);

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'ingot-generators-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

function generate(source: string, options: Partial<GenerateOptions>): Promise<readonly GeneratedFile[]> {
  return generators[source]!.generate({
    seed: 1,
    rows: 200,
    dates: ['2026-01-01'],
    into: folder,
    ...options,
  });
}

async function deliveries(files: readonly GeneratedFile[]): Promise<Delivery[]> {
  const all = files.flatMap(({ date, paths }) => paths.map((path) => ({ date, path })));
  return Promise.all(
    all.map(async ({ date, path }) => ({
      ingestDate: date,
      name: basename(path),
      bytes: await readFile(path),
    })),
  );
}

function recompute(
  source: string,
  files: readonly Delivery[],
): { accounts: readonly DayAccount[]; quarantined: readonly TextRow[]; dateColumn: string } {
  if (source === 'payments') {
    const result = recomputePayments(files, rates);
    return { accounts: result.accounts, quarantined: result.audit, dateColumn: 'ingest_date' };
  }
  const result = recomputeCustomerPurchases(files, rates);
  return { accounts: result.accounts, quarantined: result.quarantine, dateColumn: 'ingestion_date' };
}

function reasonCounts(rows: readonly TextRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of rows.flatMap((row) => row['reasons']!.split(',')))
    counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

describe.each(sources)('%s', (source) => {
  test.each<[string, Partial<GenerateOptions>]>([
    ['a single small file', { rows: 200 }],
    ['a few rows', { rows: 7 }],
    ['no rows', { rows: 0 }],
    [
      'neighbouring days with a partial last block',
      { rows: 2_345, seed: 'letters', dates: ['2026-01-01', '2026-01-02', '2026-01-03'] },
    ],
    [
      'days a week and more apart',
      { rows: 1_500, seed: 3, dates: ['2026-02-26', '2026-02-27', '2026-03-05', '2026-03-06', '2026-03-07'] },
    ],
    [
      'every second row dirty in one way',
      {
        rows: 900,
        seed: 4,
        dirtShare: 0,
        dirt: { next_day_same: 0.2, beyond_a_week: 0.1, week_later_same: 0.1 },
        dates: Array.from({ length: 10 }, (_, index) => `2026-01-${10 + index}`),
      },
    ],
    ['undecodable bytes', { rows: 500, seed: 5, dirt: { undecodable: 0.05 } }],
  ])('the truth of %s is what the oracle finds in the files', async (_, options) => {
    const files = await generate(source, options);
    const found = recompute(source, await deliveries(files));
    expect(found.accounts.map(({ ingestDate, ...account }) => [ingestDate, account])).toEqual(
      files.map(({ date, truth }) => [date, truth.account]),
    );
    for (const { date, truth } of files)
      expect(reasonCounts(found.quarantined.filter((row) => row[found.dateColumn] === date))).toEqual(
        truth.reasons,
      );
  });

  test('seed, rows and date alone decide the bytes, whatever dates are made with them', async () => {
    const [alone] = await generate(source, { dates: ['2026-01-02'], into: join(folder, 'a') });
    const together = await generate(source, {
      dates: ['2026-01-03', '2026-01-02', '2026-01-01'],
      into: join(folder, 'b'),
    });
    const twin = together.find(({ date }) => date === '2026-01-02')!;
    expect(await readFile(alone!.paths[0]!)).toEqual(await readFile(twin.paths[0]!));
    const [other] = await generate(source, { dates: ['2026-01-02'], into: join(folder, 'c'), seed: 2 });
    expect(await readFile(alone!.paths[0]!)).not.toEqual(await readFile(other!.paths[0]!));
  });

  test('every kind of dirt is there from 200 rows on', async () => {
    const [file] = await generate(source, { rows: 200, dirt: { undecodable: 0.002 } });
    const [many] = await generate(source, {
      rows: 10_000,
      dirt: { undecodable: 0.002 },
      dates: ['2026-05-05'],
    });
    expect(Object.keys(file!.truth.dirt)).toEqual(Object.keys(many!.truth.dirt));
    for (const count of Object.values(many!.truth.dirt)) expect(count).toBe(20);
  });

  test('the truth stands beside the file, and nothing else is left', async () => {
    const [file] = await generate(source, { deliverTwice: false });
    const truth = JSON.parse(await readFile(file!.truthPath, 'utf8')) as Truth;
    expect(truth).toEqual(file!.truth);
    expect(await readdir(folder)).toEqual(['landing']);
    expect((await readdir(join(folder, 'landing', source, '2026-01-01'))).toSorted()).toEqual([
      `${source}-2026-01-01.csv`,
      `${source}-2026-01-01.truth.json`,
    ]);
  });

  test('three days in a row bring a byte order mark, CRLF and LF', async () => {
    const files = await generate(source, { rows: 3, dates: ['2026-01-01', '2026-01-02', '2026-01-03'] });
    const texts = await Promise.all(files.map(({ paths }) => readFile(paths[0]!, 'utf8')));
    expect(new Set(texts.map((text) => text.startsWith('\uFEFF')))).toEqual(new Set([true, false]));
    expect(new Set(texts.map((text) => /^[^\n]*\r\n/.test(text)))).toEqual(new Set([true, false]));
  });

  test('progress is reported and an aborted generation leaves no file', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ rows }: { rows: number }): void => {
      seen.push(rows);
      if (rows >= 3_000) abort.abort();
    };
    await expect(generate(source, { rows: 9_000, onProgress, signal: abort.signal })).rejects.toThrow(
      /abort/i,
    );
    expect(seen).toEqual([1_000, 2_000, 3_000]);
    const left = await readdir(folder, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile() && !entry.name.endsWith('.truth.json'))).toEqual([]);
  });

  test('an unknown kind of dirt, a wrong date and a wrong number of rows are refused with what is allowed', async () => {
    await expect(generate(source, { dirt: { mud: 1 } })).rejects.toThrow(
      /no kind of dirt called "mud"\. Known: .*undecodable/,
    );
    await expect(generate(source, { dates: ['2026-02-30'] })).rejects.toThrow(/found "2026-02-30"/);
    await expect(generate(source, { rows: 1.5 })).rejects.toThrow(/found 1\.5/);
  });
});

test('customer purchases come a second time on some days, byte for byte', async () => {
  const files = await generate('customer_purchases', { dates: ['2026-01-01', '2026-01-02', '2026-01-03'] });
  const again = files.filter(({ paths }) => paths.length === 2);
  expect(again).toHaveLength(1);
  expect(await readFile(again[0]!.paths[1]!)).toEqual(await readFile(again[0]!.paths[0]!));
});
