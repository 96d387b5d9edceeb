import { describe, expect } from 'vitest';
import { SnapshotConflictError } from '../../../ports/errors.ts';
import type { Ledger, PartitionSelector } from '../../../ports/ledger.ts';
import type { ConformanceTest } from '../conformance.ts';
import {
  bronze,
  bronzeDay,
  manifest,
  openRun,
  output,
  publishNow,
  rates,
  reads,
  request,
  silver,
  silverSlice,
  writes,
} from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const day1 = bronzeDay('2026-01-01');
const slice1 = silverSlice('2026-01-01', 'sale');

interface Meeting {
  /** What is there before. */
  readonly before?: readonly PartitionSelector[];
  readonly input: PartitionSelector;
  /** What another run publishes between the snapshot and the publication. */
  readonly meanwhile: PartitionSelector;
  readonly removed?: boolean;
}

/** A task reads `input`, another run publishes `meanwhile`, and the task publishes a partition of silver. */
async function meet(ledger: Ledger, { before = [], input, meanwhile, removed = false }: Meeting) {
  await ledger.registerTables([bronze, silver, rates]);
  const [runId, other] = [await openRun(ledger), await openRun(ledger)];
  if (before.length > 0) await publishNow(ledger, other, 'before', before);
  const { snapshot } = await ledger.snapshot([reads(input), writes(slice1)]);
  await publishNow(ledger, other, 'meanwhile', [meanwhile], { removed });
  return ledger.publish(request(runId, manifest(snapshot, [output(slice1)])));
}

const conflictOn = (...partitions: string[]) => ({ name: 'SnapshotConflictError', partitions });
const whole: PartitionSelector = { table: bronze.name, where: {} };

export function conflictCases(test: ConformanceTest, open: OpenLedger): void {
  describe('conflicts', () => {
    test('of two publications from one snapshot one wins and the other is told which partition moved', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([silver]);
      const [first, second] = [await openRun(ledger), await openRun(ledger)];
      const { snapshot } = await ledger.snapshot([writes(slice1), writes(silverSlice('2026-01-02', 'sale'))]);
      const winner = await ledger.publish(request(first, manifest(snapshot, [output(slice1)])));
      const losing = ledger.publish(request(second, manifest(snapshot, [output(slice1)])));
      await expect(losing).rejects.toThrow(SnapshotConflictError);
      await expect(losing).rejects.toMatchObject({ partitions: ['shop.silver/day=2026-01-01/kind=sale'] });
      expect(await ledger.history({})).toEqual([winner]);
    });

    test('twenty publications at the same moment from one snapshot have one winner', async () => {
      await using fixture = await open();
      const ledgers = [fixture.ledger, await fixture.another(), await fixture.another()];
      await fixture.ledger.registerTables([bronze]);
      const runs = await Promise.all(Array.from({ length: 20 }, () => openRun(fixture.ledger)));
      const { snapshot } = await fixture.ledger.snapshot([writes(day1)]);
      const results = await Promise.allSettled(
        runs.map((runId, index) =>
          ledgers[index % 3]!.publish(request(runId, manifest(snapshot, [output(day1)]))),
        ),
      );
      const lost = results.filter((result) => result.status === 'rejected');
      expect(lost).toHaveLength(19);
      for (const { reason } of lost) expect(reason).toBeInstanceOf(SnapshotConflictError);
      expect(await fixture.ledger.history({})).toHaveLength(1);
    });

    test('an input that moved is a conflict', async () => {
      await using fixture = await open();
      await expect(
        meet(fixture.ledger, { before: [day1], input: day1, meanwhile: day1 }),
      ).rejects.toMatchObject(conflictOn('shop.bronze/day=2026-01-01'));
    });

    test('a partition that was absent and appears is a conflict', async () => {
      await using fixture = await open();
      await expect(meet(fixture.ledger, { input: day1, meanwhile: day1 })).rejects.toMatchObject(
        conflictOn('shop.bronze/day=2026-01-01'),
      );
    });

    test('a partition that was there and is removed is a conflict', async () => {
      await using fixture = await open();
      await expect(
        meet(fixture.ledger, { before: [day1], input: day1, meanwhile: day1, removed: true }),
      ).rejects.toMatchObject(conflictOn('shop.bronze/day=2026-01-01'));
    });

    test('a new partition that a filter takes in is a conflict', async () => {
      await using fixture = await open();
      const input: PartitionSelector = { table: bronze.name, where: { day: ['2026-01-01', '2026-01-02'] } };
      await expect(
        meet(fixture.ledger, { before: [day1], input, meanwhile: bronzeDay('2026-01-02') }),
      ).rejects.toMatchObject(conflictOn('shop.bronze/day=2026-01-02'));
    });

    test('a partition that a filter took in and that is removed is a conflict', async () => {
      await using fixture = await open();
      await expect(
        meet(fixture.ledger, { before: [day1], input: whole, meanwhile: day1, removed: true }),
      ).rejects.toMatchObject(conflictOn('shop.bronze/day=2026-01-01'));
    });

    test('a new partition conflicts with a snapshot of the whole table', async () => {
      await using fixture = await open();
      await expect(meet(fixture.ledger, { input: whole, meanwhile: day1 })).rejects.toMatchObject(
        conflictOn('shop.bronze/day=2026-01-01'),
      );
    });

    test('partitions a snapshot does not name may move freely', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await meet(ledger, { input: day1, meanwhile: bronzeDay('2026-01-02') });
      const filter: PartitionSelector = { table: silver.name, where: { kind: ['refund'] } };
      const runId = await openRun(ledger);
      const { snapshot } = await ledger.snapshot([reads(filter), writes(day1)]);
      await publishNow(ledger, runId, 'other', [silverSlice('2026-01-01', 'chargeback')]);
      await ledger.publish(request(runId, manifest(snapshot, [output(day1)])));
      expect(await ledger.history({ runId })).toHaveLength(2);
    });

    test('a task may write over what it reads through a filter on its own table', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([silver]);
      const runId = await openRun(ledger);
      const all: PartitionSelector = { table: silver.name, where: {} };
      for (const taskId of ['a', 'b']) {
        const { snapshot } = await ledger.snapshot([
          reads(all),
          writes({ table: silver.name, where: { kind: ['sale'] } }),
        ]);
        const outputs = ['2026-01-01', '2026-01-02'].map((day) => output(silverSlice(day, 'sale')));
        await ledger.publish(request(runId, manifest(snapshot, outputs), { taskId }));
      }
      expect((await ledger.history({}))[0]!.inputs).toHaveLength(2);
      expect(
        await ledger.partitions(silver.name, { day: ['2026-01-02'], kind: ['sale', 'refund'] }),
      ).toHaveLength(1);
      expect(await ledger.partitions(silver.name, { kind: [] })).toEqual([]);
    });

    test('snapshots taken while others publish never show half of a publication', async () => {
      await using fixture = await open();
      const other = await fixture.another();
      await fixture.ledger.registerTables([bronze, silver]);
      const runId = await openRun(fixture.ledger);
      let writing = true;
      const writer = (async () => {
        for (let round = 0; round < 30; round += 1)
          await publishNow(other, runId, `round-${round}`, [day1, bronzeDay('2026-01-02'), slice1]);
        writing = false;
      })();
      while (writing) {
        const { partitions } = await fixture.ledger.snapshot([reads(whole), reads(slice1)]);
        expect(new Set(partitions.map((version) => version.publicationId)).size).toBeLessThanOrEqual(1);
      }
      await writer;
    });
  });
}
