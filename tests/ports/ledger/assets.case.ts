import { describe, expect } from 'vitest';
import type { Ledger } from '../../../ports/ledger.ts';
import type { ConformanceTest } from '../conformance.ts';
import { bronze, bronzeDay, openRun, publishNow, silver, silverSlice, type OpenLedger } from './fixture.ts';

const day = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
const next = { start: '2026-01-02T00:00:00Z', end: '2026-01-03T00:00:00Z' };

const emit = (ledger: Ledger, asset: string, key: string) =>
  ledger.emitAsset({ asset, key, at: '2026-01-01T10:00:00Z', logicalDate: null, payload: { of: key } });

const positions = (events: readonly { readonly asset: string; readonly position: number }[]): string[] =>
  events.map(({ asset, position }) => `${asset} ${position}`);

async function readAll(ledger: Ledger, dagId: string, interval: typeof day): Promise<void> {
  const unread = await ledger.unreadEvents(dagId, 1000);
  await ledger.deliverEvents(
    dagId,
    unread.map(({ asset, position }) => ({ asset, position, interval })),
  );
}

export function assetCases(test: ConformanceTest, open: OpenLedger): void {
  describe('assets', () => {
    test('publishing is one event of each table, an event by hand one of its name, the same again none', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze, silver]);
      const runId = await openRun(ledger);
      const first = await publishNow(ledger, runId, 'load', [
        bronzeDay('2026-01-01'),
        bronzeDay('2026-01-02'),
        silverSlice('2026-01-01', 'a'),
      ]);
      await publishNow(ledger, runId, 'other', [bronzeDay('2026-01-01')]);
      expect(positions(await ledger.assetEvents('shop.bronze'))).toEqual(['shop.bronze 2', 'shop.bronze 1']);
      expect(await ledger.assetEvents('shop.silver')).toEqual([
        {
          asset: 'shop.silver',
          position: 1,
          key: `publication/${first.id}`,
          at: '2026-01-02T00:01:00Z',
          runId,
          dagId: 'shop',
          logicalDate: '2026-01-01T00:00:00Z',
          publicationId: first.id,
          payload: { task: 'load', partitions: 1 },
        },
      ]);
      const sent = await emit(ledger, 'reports.sent', 'x');
      expect(await emit(ledger, 'reports.sent', 'x')).toEqual(sent);
      expect(sent).toMatchObject({ position: 1, runId: null, logicalDate: null, payload: { of: 'x' } });
      expect((await emit(ledger, 'reports.sent', 'y')).position).toBe(2);
      expect(positions(await ledger.assets())).toEqual(['reports.sent 2', 'shop.bronze 2', 'shop.silver 1']);
    });

    test('events of a run’s record get positions one after the other, once', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const runId = await openRun(ledger);
      const told = ['a', 'b', 'a'].map((asset, index) => ({
        key: `k${index}`,
        kind: 'asset',
        at: '2026-01-01T10:00:00Z',
        payload: { asset, runId, dagId: 'shop', logicalDate: '2026-01-01T00:00:00Z' },
      }));
      await ledger.recordAttempts(runId, [], told);
      await ledger.recordAttempts(runId, [], told);
      expect(positions(await ledger.assetEvents('a'))).toEqual(['a 2', 'a 1']);
      expect(positions(await ledger.assetEvents('b'))).toEqual(['b 1']);
      expect((await ledger.assetEvents('b'))[0]).toMatchObject({
        runId,
        logicalDate: '2026-01-01T00:00:00Z',
      });
    });

    test('a DAG reads what happens after it began to follow; an asset it stops to follow is forgotten', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await emit(ledger, 'a', '1');
      await ledger.followAssets('eater', ['a', 'b']);
      expect(await ledger.unreadEvents('eater', 10)).toEqual([]);
      await emit(ledger, 'a', '2');
      await emit(ledger, 'b', '1');
      await ledger.followAssets('eater', ['b', 'a']);
      expect(positions(await ledger.unreadEvents('eater', 10))).toEqual(['a 2', 'b 1']);
      expect(await ledger.assetFollowers(['b', 'c'])).toEqual(['eater']);
      expect(await ledger.assetFollowers(['c'])).toEqual([]);
      await readAll(ledger, 'eater', day);
      expect(await ledger.assetCursors('eater')).toEqual([
        { dagId: 'eater', asset: 'a', position: 2, unread: 0, waiting: 1 },
        { dagId: 'eater', asset: 'b', position: 1, unread: 0, waiting: 1 },
      ]);
      await ledger.followAssets('eater', ['b']);
      expect(await ledger.waitingEvents('eater')).toEqual([{ ...day, assets: ['b'] }]);
      await ledger.followAssets('eater', []);
      expect(await ledger.assetCursors()).toEqual([]);
    });

    test('every event is given to one run, with those of its interval that came before it was taken', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.followAssets('eater', ['a', 'b']);
      for (const key of ['1', '2']) await emit(ledger, 'a', key);
      await readAll(ledger, 'eater', day);
      await emit(ledger, 'b', '1');
      await readAll(ledger, 'eater', next);
      expect(await ledger.waitingEvents('eater')).toEqual([
        { ...day, assets: ['a'] },
        { ...next, assets: ['b'] },
      ]);
      const run = await ledger.takeEvents('eater', day);
      expect(run).toEqual({
        dagId: 'eater',
        number: 1,
        interval: day,
        runId: null,
        assets: [{ asset: 'a', count: 2 }],
      });
      await emit(ledger, 'a', '3');
      await readAll(ledger, 'eater', day);
      // The run of the interval has not begun: its next one waits for that.
      expect(await ledger.takeEvents('eater', day)).toBeNull();
      expect((await ledger.takeEvents('eater', next))?.number).toBe(2);
      expect((await ledger.unbegunAssetRuns('eater')).map((each) => each.number)).toEqual([1, 2]);
      await ledger.assetRunBegun('eater', 1, 'r1');
      await ledger.assetRunBegun('eater', 1, 'r1');
      expect((await ledger.takeEvents('eater', day))?.number).toBe(3);
      expect(positions(await ledger.eventsOfRun('eater', 1))).toEqual(['a 1', 'a 2']);
      expect(positions(await ledger.eventsOfRun('eater', 3))).toEqual(['a 3']);
      expect(await ledger.assetRunOf('r1')).toEqual(await ledger.assetRun('eater', 1));
      expect(await ledger.assetRunOf('r1')).toMatchObject({ number: 1, runId: 'r1' });
      expect(await ledger.assetRunOf('r9')).toBeNull();
      expect(await ledger.assetRun('eater', 9)).toBeNull();
      await expect(ledger.assetRunBegun('eater', 9, 'r9')).rejects.toThrow('no event run 9');
    });

    test('old events go once everybody has read them and their runs have ended; the newest stays', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const before = '2026-01-10T00:00:00Z';
      const runId = await openRun(ledger);
      for (const dagId of ['eater', 'slow']) await ledger.followAssets(dagId, ['a']);
      for (const key of ['1', '2', '3']) await emit(ledger, 'a', key);
      await readAll(ledger, 'eater', day);
      const forget = (dryRun = false) => ledger.forgetAssetEvents(before, { dryRun });
      const left = async () => positions(await ledger.assetEvents('a'));
      // One has not read them; then they wait; then their run has not begun; then it has not ended.
      expect(await forget()).toBe(0);
      await ledger.followAssets('slow', []);
      expect(await forget()).toBe(0);
      const { number } = (await ledger.takeEvents('eater', day))!;
      expect(await forget()).toBe(0);
      await ledger.assetRunBegun('eater', number, runId);
      expect(await forget()).toBe(0);
      await ledger.endRun(runId, 'success', '2026-01-02T01:00:00Z', null);
      expect(await ledger.forgetAssetEvents('2026-01-01T09:00:00Z', { dryRun: false })).toBe(0);
      expect(await forget(true)).toBe(2);
      expect(await left()).toEqual(['a 3', 'a 2', 'a 1']);
      expect(await forget()).toBe(2);
      expect(await left()).toEqual(['a 3']);
      expect(await forget()).toBe(0);
      expect(positions(await ledger.eventsOfRun('eater', number))).toEqual(['a 3']);
      expect((await emit(ledger, 'a', '4')).position).toBe(4);
    });

    test('the same delivered twice, and by two at once, is delivered once', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const other = await fixture.another();
      await ledger.followAssets('eater', ['a']);
      for (let key = 0; key < 30; key += 1) await emit(ledger, 'a', String(key));
      await Promise.all([
        readAll(ledger, 'eater', day),
        readAll(other, 'eater', day),
        readAll(ledger, 'eater', day),
      ]);
      await Promise.all([ledger.takeEvents('eater', day), other.takeEvents('eater', day)]);
      expect(await ledger.eventsOfRun('eater', 1)).toHaveLength(30);
      expect(await ledger.assetRun('eater', 2)).toBeNull();
    });

    test('a reader that goes on from the last position it saw misses nothing, however many write at once', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const other = await fixture.another();
      await ledger.followAssets('eater', ['a', 'shop.bronze']);
      await ledger.registerTables([bronze]);
      let writing = true;
      const runs = await Promise.all(Array.from({ length: 8 }, () => openRun(ledger)));
      const writers = runs.map(async (runId, writer) => {
        for (let n = 0; n < 6; n += 1) {
          const by = n % 2 === 0 ? ledger : other;
          await emit(by, 'a', `${writer}/${n}`);
          await publishNow(by, runId, `task${n}`, [bronzeDay(`2026-01-0${writer + 1}`)]);
        }
      });
      const reader = (async () => {
        while (writing) await readAll(other, 'eater', day);
        await readAll(other, 'eater', day);
      })();
      await Promise.all(writers).finally(() => {
        writing = false;
      });
      await reader;
      await ledger.takeEvents('eater', day);
      const given = await ledger.eventsOfRun('eater', 1);
      const wanted = ['a', 'shop.bronze'].flatMap((asset) =>
        Array.from({ length: 48 }, (_, index) => `${asset} ${index + 1}`),
      );
      expect(positions(given)).toEqual(wanted);
    });
  });
}
