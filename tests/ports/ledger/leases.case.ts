import { describe, expect, vi } from 'vitest';
import { RunClosedError, SnapshotConflictError } from '../../../ports/errors.ts';
import type { PartitionSelector } from '../../../ports/ledger.ts';
import type { ConformanceTest } from '../conformance.ts';
import { bronze, bronzeDay, openRun, publishNow, silver, silverSlice } from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const day1 = bronzeDay('2026-01-01');
const day2 = bronzeDay('2026-01-02');
const whole: PartitionSelector = { table: bronze.name, where: {} };
const hour = 3_600_000;

async function openWithRuns(open: OpenLedger) {
  const fixture = await open();
  const { ledger } = fixture;
  await ledger.registerTables([bronze, silver]);
  return {
    fixture,
    ledger,
    runs: [await openRun(ledger), await openRun(ledger), await openRun(ledger)] as const,
  };
}

export function leaseCases(test: ConformanceTest, open: OpenLedger): void {
  describe('leases', () => {
    test('what one run holds no other gets until it is released', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(await ledger.lease(runs[0], [day1, day2], hour)).toBe(true);
      expect(await ledger.lease(runs[0], [day1, day2], hour)).toBe(true);
      expect(await ledger.lease(runs[1], [day2, silverSlice('2026-01-01', 'sale')], hour)).toBe(false);
      expect(await ledger.lease(runs[2], [bronzeDay('2026-01-03')], hour)).toBe(true);
      await ledger.releaseLeases(runs[0]);
      expect(await ledger.lease(runs[1], [day2, silverSlice('2026-01-01', 'sale')], hour)).toBe(true);
    });

    test('a lease on a filter and one on a partition it takes in exclude each other', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(await ledger.lease(runs[0], [{ table: silver.name, where: { kind: ['sale'] } }], hour)).toBe(
        true,
      );
      expect(await ledger.lease(runs[1], [silverSlice('2026-01-01', 'sale')], hour)).toBe(false);
      expect(await ledger.lease(runs[1], [silverSlice('2026-01-01', 'refund')], hour)).toBe(true);
      expect(
        await ledger.lease(runs[2], [{ table: silver.name, where: { day: ['2026-01-01'] } }], hour),
      ).toBe(false);
    });

    test('who waits is not overtaken by who comes later', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(await ledger.lease(runs[0], [day1], hour)).toBe(true);
      expect(await ledger.lease(runs[1], [whole], hour)).toBe(false);
      expect(await ledger.lease(runs[2], [day2], hour)).toBe(false);
      await ledger.releaseLeases(runs[0]);
      expect(await ledger.lease(runs[2], [day2], hour)).toBe(false);
      expect(await ledger.lease(runs[1], [whole], hour)).toBe(true);
    });

    test('of many runs asking at once exactly one gets the lease', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      const others = await Promise.all(Array.from({ length: 9 }, () => openRun(ledger)));
      const answers = await Promise.all(
        [...runs, ...others].map((runId) => ledger.lease(runId, [day2, day1], hour)),
      );
      expect(answers.filter((granted) => granted)).toHaveLength(1);
    });

    test('a closed run holds nothing and takes nothing', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(await ledger.lease(runs[0], [day1], hour)).toBe(true);
      await ledger.endRun(runs[0], 'failed', '2026-01-02T00:10:00Z', null);
      expect(await ledger.lease(runs[1], [day1], hour)).toBe(true);
      await expect(ledger.lease(runs[0], [day2], hour)).rejects.toThrow(RunClosedError);
    });

    test('a lease that is not renewed runs out', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(await ledger.lease(runs[0], [day1], 200)).toBe(true);
      await vi.waitFor(async () => expect(await ledger.lease(runs[1], [day1], hour)).toBe(true), {
        timeout: 20_000,
      });
    });

    test('nobody moves a leased partition but its holder', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(
        await ledger.lease(runs[0], [{ table: bronze.name, where: { day: ['2026-01-01'] } }], hour),
      ).toBe(true);
      const blocked = publishNow(ledger, runs[1], 'load', [day1]);
      await expect(blocked).rejects.toThrow(SnapshotConflictError);
      await expect(blocked).rejects.toMatchObject({ partitions: ['shop.bronze/day=2026-01-01'] });
      await publishNow(ledger, runs[1], 'load', [day2], { reads: [day1] });
      await publishNow(ledger, runs[0], 'load', [day1]);
      await ledger.releaseLeases(runs[0]);
      await publishNow(ledger, runs[1], 'load', [day1], { attempt: 2 });
      expect(await ledger.history({ table: bronze.name })).toHaveLength(3);
    });

    test('a lease ends when its holder has published what it was for', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(await ledger.lease(runs[0], [day1], hour)).toBe(true);
      expect(await ledger.lease(runs[0], [day2], hour)).toBe(true);
      await publishNow(ledger, runs[0], 'load', [day1]);
      expect(await ledger.lease(runs[1], [day1], hour)).toBe(true);
      expect(await ledger.lease(runs[1], [day2], hour)).toBe(false);
    });

    test('a run that waits for a lease stops nobody from publishing', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      expect(await ledger.lease(runs[0], [day1], hour)).toBe(true);
      expect(await ledger.lease(runs[1], [whole], hour)).toBe(false);
      await publishNow(ledger, runs[2], 'load', [day2]);
      expect(await ledger.history({})).toHaveLength(1);
    });

    test('a snapshot taken under a lease holds, however busy the others are', async () => {
      const { fixture, ledger, runs } = await openWithRuns(open);
      await using _ = fixture;
      const other = await fixture.another();
      let busy = true;
      const rival = (async () => {
        for (let attempt = 1; busy; attempt += 1)
          await publishNow(other, runs[1], 'rival', [day1], { attempt }).catch((error: unknown) =>
            expect(error).toBeInstanceOf(SnapshotConflictError),
          );
      })();
      for (let round = 1; round <= 10; round += 1) {
        expect(await ledger.lease(runs[0], [whole], hour)).toBe(true);
        await publishNow(ledger, runs[0], 'holder', [day1], { attempt: round });
      }
      busy = false;
      await rival;
      expect(
        (await ledger.history({ runId: runs[0] })).map((publication) => publication.attempt),
      ).toHaveLength(10);
    });
  });
}
