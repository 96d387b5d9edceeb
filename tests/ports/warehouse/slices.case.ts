import fc from 'fast-check';
import { describe, expect } from 'vitest';
import type { Warehouse } from '../../../ports/warehouse.ts';
import type { ConformanceTest } from '../conformance.ts';
import { csv, kpiLoad, kpiRows, rowsOf, summaryLoad, summaryRows } from './fixture.ts';
import type { OpenWarehouse, Row } from './fixture.ts';

const day1 = '2026-01-01';
const day2 = '2026-01-02';

const changes = (warehouse: Warehouse): Promise<readonly Row[]> =>
  rowsOf(warehouse, 'select merchant, updated_at::text from merchant_kpis order by merchant');

/** Cents by customer and day; the last load of a day counts. */
type Contributions = ReadonlyMap<string, Readonly<Record<string, number>>>;

const amount = (cents: number): string =>
  `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;

function totals(contributions: Contributions): Row[] {
  const byCustomer = new Map<string, { cents: number; days: number }>();
  for (const spent of contributions.values())
    for (const [customer, cents] of Object.entries(spent)) {
      const known = byCustomer.get(customer) ?? { cents: 0, days: 0 };
      byCustomer.set(customer, { cents: known.cents + cents, days: known.days + 1 });
    }
  return [...byCustomer]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([customer, { cents, days }]) => [customer, amount(cents), String(days)]);
}

const spentByCustomer = fc.dictionary(
  fc.integer({ min: 1, max: 6 }).map(String),
  fc.integer({ min: -5000, max: 5000 }),
  { maxKeys: 5 },
);
const load = fc.record({
  day: fc.constantFrom(day1, day2, '2026-01-03'),
  publication: fc.integer({ min: 1, max: 9 }),
  spent: spentByCustomer,
});

function cents(spent: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(spent).map(([customer, value]) => [customer, amount(value)]));
}

/** Loads with one publication are one load's repetitions, so they carry the same rows. */
function withoutContradictions<Load extends { day: string; publication: number }>(
  loads: readonly Load[],
): Load[] {
  return [...new Map(loads.map((each) => [`${each.day} ${each.publication}`, each])).values()];
}

export function sliceCases(test: ConformanceTest, open: OpenWarehouse): void {
  describe('slices', () => {
    test('a slice is replaced as a whole and the others stay', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day2, 1, [['a', day2, '9', null]]));
      expect(
        await warehouse.replaceSlice(
          kpiLoad(day1, 2, [
            ['a', day1, '1', null],
            ['b', day1, '2', null],
          ]),
        ),
      ).toEqual({
        outcome: 'loaded',
        copied: 2,
        upserted: 2,
        deleted: 0,
      });
      expect(
        await warehouse.replaceSlice(
          kpiLoad(day1, 3, [
            ['a', day1, '1', null],
            ['c', day1, '3', null],
          ]),
        ),
      ).toEqual({ outcome: 'loaded', copied: 2, upserted: 1, deleted: 1 });
      expect((await kpiRows(warehouse)).map(([merchant, day]) => [merchant, day])).toEqual([
        ['a', day1],
        ['a', day2],
        ['c', day1],
      ]);
      expect(await warehouse.replaceSlice(kpiLoad(day1, 4, []))).toMatchObject({ copied: 0, deleted: 2 });
      expect(await kpiRows(warehouse)).toHaveLength(1);
    });

    test('a row that did not change is not touched', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      const rows: Row[] = [
        ['a', day1, '1', null],
        ['b', day1, null, 'x'],
        ['c', day1, null, null],
      ];
      await warehouse.replaceSlice(kpiLoad(day1, 1, rows));
      const before = await changes(warehouse);
      expect(await warehouse.replaceSlice(kpiLoad(day1, 1, rows))).toMatchObject({ upserted: 0, deleted: 0 });
      expect(await changes(warehouse)).toEqual(before);
      await warehouse.replaceSlice(
        kpiLoad(day1, 2, [
          ['a', day1, '1.00', null],
          ['b', day1, null, null],
          ['c', day1, null, ''],
        ]),
      );
      const after = await changes(warehouse);
      expect(after.map(([merchant, at], index) => [merchant, at === before[index]![1]])).toEqual([
        ['a', true],
        ['b', false],
        ['c', false],
      ]);
    });

    test('a load older than the one that is there changes nothing and does not read its rows', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day1, 7, [['a', day1, '7', null]]));
      let started = false;
      async function* rows(): AsyncGenerator<Uint8Array> {
        started = true;
        yield* csv([['a', day1, '6', null]]);
      }
      expect(await warehouse.replaceSlice(kpiLoad(day1, 6, rows()))).toEqual({
        outcome: 'stale',
        copied: 0,
        upserted: 0,
        deleted: 0,
      });
      expect(started).toBe(false);
      expect((await kpiRows(warehouse))[0]![2]).toMatch(/^7\./);
      expect(await warehouse.replaceSlice(kpiLoad(day2, 6, [['a', day2, '6', null]]))).toMatchObject({
        outcome: 'loaded',
      });
    });

    test('a total counts each slice once, however often it is loaded, and ends with its last contribution', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(summaryLoad(day1, 1, { 1: '5.00', 2: '6.50' }));
      await warehouse.replaceSlice(summaryLoad(day2, 2, { 1: '7.25' }));
      await warehouse.replaceSlice(summaryLoad(day1, 1, { 1: '5.00', 2: '6.50' }));
      expect(await summaryRows(warehouse)).toEqual([
        ['1', '12.25', '2'],
        ['2', '6.50', '1'],
      ]);
      expect(await warehouse.replaceSlice(summaryLoad(day1, 3, { 3: '1.00' }))).toEqual({
        outcome: 'loaded',
        copied: 1,
        upserted: 2,
        deleted: 1,
      });
      expect(await summaryRows(warehouse)).toEqual([
        ['1', '7.25', '1'],
        ['3', '1.00', '1'],
      ]);
    });

    test('a recomputation that fails leaves staging as it was', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(summaryLoad(day1, 1, { 1: '5.00' }));
      const request = summaryLoad(day1, 2, { 1: '6.00' });
      await expect(
        warehouse.replaceSlice({
          ...request,
          staging: {
            ...request.staging!,
            recompute: 'select customer, 1 / 0 as spent, 1 as days from affected',
          },
        }),
      ).rejects.toThrow(/division by zero/);
      expect(await rowsOf(warehouse, 'select spent from mart.summary_staging')).toEqual([['5.00']]);
      expect(await summaryRows(warehouse)).toEqual([['1', '5.00', '1']]);
    });

    test('loads in any order, repeated or stale, give the same table', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await fc.assert(
        fc.asyncProperty(
          fc.array(load, { minLength: 1, maxLength: 8 }).map(withoutContradictions),
          fc.gen(),
          async (loads, gen) => {
            await fixture.sql('drop schema if exists mart cascade; delete from ingot_loads');
            const order = [...loads, ...loads.slice(0, 2)].sort(() => gen(fc.integer, { min: -1, max: 1 }));
            for (const { day, publication, spent } of order)
              await warehouse.replaceSlice(summaryLoad(day, publication, cents(spent)));
            const last = new Map<string, Readonly<Record<string, number>>>();
            for (const { day, spent } of loads.toSorted((a, b) => a.publication - b.publication))
              last.set(day, spent);
            expect(await summaryRows(warehouse)).toEqual(totals(last));
          },
        ),
        { numRuns: 25 },
      );
    });

    test('many loads of one target at once give what they give one after another', async () => {
      await using fixture = await open();
      const warehouses = [fixture.warehouse, await fixture.another(), await fixture.another()];
      const days = Array.from({ length: 6 }, (_, index) => `2026-02-0${index + 1}`);
      const loads = days.flatMap((day, index) =>
        [1, 2, 3].map((version) => ({
          day,
          publication: version * 10 + index,
          spent: { 1: version * 100 + index, [index + 2]: version },
        })),
      );
      await Promise.all(
        loads.map(({ day, publication, spent }, index) =>
          warehouses[index % 3]!.replaceSlice(summaryLoad(day, publication, cents(spent))),
        ),
      );
      const last = new Map(
        loads.filter(({ publication }) => publication >= 30).map(({ day, spent }) => [day, spent]),
      );
      expect(await summaryRows(fixture.warehouse)).toEqual(totals(last));
    });
  });
}
