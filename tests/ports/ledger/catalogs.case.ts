import { describe, expect } from 'vitest';
import { RetryableError } from '../../../ports/errors.ts';
import type { ConformanceTest } from '../conformance.ts';
import { bronze, bronzeDay, openRun, publishNow, rates } from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const [day1, day2] = [bronzeDay('2026-01-01'), bronzeDay('2026-01-02')];

export function catalogCases(test: ConformanceTest, open: OpenLedger): void {
  describe('catalogs', () => {
    test('a turn sees the table, its newest publication and the versions that are current', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      expect(await ledger.inTurn('glue', bronze.name, async (published) => published)).toEqual({
        table: bronze,
        publication: null,
        partitions: [],
        synced: null,
        removed: [],
      });
      const runId = await openRun(ledger);
      await publishNow(ledger, runId, 'a', [day1, day2]);
      const { id } = await publishNow(ledger, runId, 'b', [day1], { removed: true });
      expect(await ledger.inTurn('glue', bronze.name, async (published) => published)).toEqual({
        table: bronze,
        publication: id,
        partitions: await ledger.partitions(bronze.name),
        synced: null,
        removed: [{ day: '2026-01-01' }],
      });
      await ledger.synced('glue', bronze.name, id);
      const { id: last } = await publishNow(ledger, runId, 'c', [day2], { removed: true });
      expect(await ledger.inTurn('glue', bronze.name, async (published) => published)).toEqual({
        table: bronze,
        publication: last,
        partitions: [],
        synced: id,
        removed: [{ day: '2026-01-02' }],
      });
      expect(await ledger.inTurn('glue', 'shop.nothing', async (published) => published)).toBeNull();
    });

    test('turns of one table follow one another over processes, and each sees what was published before it', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const others = [ledger, await fixture.another(), await fixture.another()];
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      let inside = 0;
      const seen: (number | null)[] = [];
      const turn = (at: number) =>
        others[at % others.length]!.inTurn('glue', bronze.name, async (published) => {
          expect((inside += 1)).toBe(1);
          seen.push(published!.publication);
          await publishNow(ledger, runId, `task-${at}`, [day1]);
          inside -= 1;
        });
      await Promise.all(Array.from({ length: 12 }, (_, at) => turn(at)));
      expect(seen).toHaveLength(12);
      expect(seen.slice(1)).toEqual(seen.slice(1).sort((a, b) => a! - b!));
      expect(new Set(seen).size).toBe(12);
    });

    test('turns of other tables and of other catalogs do not wait', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const other = await fixture.another();
      await ledger.registerTables([bronze, rates]);
      const inner = await ledger.inTurn('glue', bronze.name, () =>
        Promise.all([
          other.inTurn('glue', rates.name, async () => 'table'),
          other.inTurn('elsewhere', bronze.name, async () => 'catalog'),
        ]),
      );
      expect(inner).toEqual(['table', 'catalog']);
    });

    test('who waits for a turn may give up, and a turn that failed is over', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const other = await fixture.another();
      await ledger.registerTables([bronze]);
      const abort = new AbortController();
      await ledger.inTurn('glue', bronze.name, async () => {
        const waiting = other.inTurn('glue', bronze.name, async () => 'never', {
          signal: abort.signal,
          beat: () => abort.abort(new Error('gave up')),
        });
        await expect(waiting).rejects.toThrow('gave up');
      });
      const failing = ledger.inTurn('glue', bronze.name, async () => {
        throw new Error('the catalog is closed');
      });
      await expect(failing).rejects.toThrow('the catalog is closed');
      expect(await other.inTurn('glue', bronze.name, async () => 'mine')).toBe('mine');
    });

    test('a turn whose session is cut says so to its work, fails, and keeps nobody waiting', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const other = await fixture.another();
      await ledger.registerTables([bronze]);
      const lost = ledger.inTurn('glue', bronze.name, async (_, signal) => {
        const told = new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        await fixture.cut();
        await told;
      });
      await expect(lost).rejects.toThrow(RetryableError);
      expect(await other.inTurn('glue', bronze.name, async () => 'mine')).toBe('mine');
    });

    test('a table is behind from each publication until the catalog has shown it, and never goes back', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze, rates]);
      expect(await ledger.behind('glue')).toEqual([]);
      const runId = await openRun(ledger);
      const first = await publishNow(ledger, runId, 'a', [day1]);
      expect(await ledger.behind('glue')).toEqual([bronze.name]);
      await ledger.synced('glue', bronze.name, first.id);
      expect(await ledger.behind('glue')).toEqual([]);
      expect(await ledger.behind('elsewhere')).toEqual([bronze.name]);
      const second = await publishNow(ledger, runId, 'b', [day1, { table: rates.name, values: {} }]);
      expect(await ledger.behind('glue')).toEqual([bronze.name, rates.name]);
      await ledger.synced('glue', bronze.name, second.id);
      await ledger.synced('glue', bronze.name, first.id);
      expect(await ledger.behind('glue')).toEqual([rates.name]);
    });
  });
}
