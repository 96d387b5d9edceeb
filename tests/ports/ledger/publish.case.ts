import { describe, expect } from 'vitest';
import { RunClosedError, TerminalError } from '../../../ports/errors.ts';
import type { Ledger } from '../../../ports/ledger.ts';
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

async function versionsOf(ledger: Ledger, table: string): Promise<Record<string, number>> {
  const versions = await ledger.partitions(table);
  return Object.fromEntries(versions.map((version) => [version.partitionText, version.version]));
}

export function publishCases(test: ConformanceTest, open: OpenLedger): void {
  describe('publish', () => {
    test('what was published is what readers see, with everything known about it', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze, silver, rates]);
      const runId = await openRun(ledger, { workflowId: 'shop-1' });
      await publishNow(ledger, runId, 'ingest', [day1, { table: rates.name, values: {} }]);
      const before = await versionsOf(ledger, bronze.name);
      const { snapshot, partitions } = await ledger.snapshot([
        reads({ table: bronze.name, where: {} }),
        reads(bronzeDay('2026-01-02')),
        writes(slice1),
      ]);
      expect(partitions.map((version) => version.partitionText)).toEqual(['day=2026-01-01']);
      const written = output(slice1);
      const published = await ledger.publish(
        request(runId, manifest(snapshot, [written], { summary: { duplicates: 3 } }), { taskId: 'clean' }),
      );
      expect(published).toMatchObject({
        runId,
        workflowId: 'shop-1',
        dagId: 'shop',
        taskId: 'clean',
        mapIndex: -1,
        attempt: 1,
        publishedAt: '2026-01-02T00:01:00Z',
        sqlHash: 'sql-1',
        contractHash: 'contract-1',
        engine: 'duckdb',
        build: 'build-1',
        verdict: 'pass',
        summary: { duplicates: 3 },
        outputs: [written],
        inputs: [
          { table: bronze.name, partition: 'day=2026-01-01', version: before['day=2026-01-01'] },
          { table: bronze.name, partition: 'day=2026-01-02', version: null },
        ],
      });
      expect(await ledger.partitions(silver.name)).toEqual([
        {
          table: silver.name,
          partition: { day: '2026-01-01', kind: 'sale' },
          partitionText: 'day=2026-01-01/kind=sale',
          version: expect.any(Number),
          publicationId: published.id,
          files: written.files,
          rows: 10,
          bytes: 100,
        },
      ]);
      expect(await ledger.history({ table: silver.name })).toEqual([published]);
      expect(await ledger.events({ keyPrefix: `publish:${published.id}` })).toHaveLength(1);
      expect((await ledger.partitions(rates.name)).map((version) => version.partitionText)).toEqual(['']);
    });

    test('versions grow with every publication', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      const seen: number[] = [];
      for (const taskId of ['a', 'b', 'c']) {
        await publishNow(ledger, runId, taskId, [day1]);
        seen.push((await versionsOf(ledger, bronze.name))['day=2026-01-01']!);
      }
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    });

    test('an attempt published twice is published once, even after the run was closed', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      const { snapshot } = await ledger.snapshot([writes(day1)]);
      const wanted = request(runId, manifest(snapshot, [output(day1)]));
      const other = await fixture.another();
      const [first, ...rest] = await Promise.all(
        [ledger, other, ledger, other].map((each) => each.publish(wanted)),
      );
      await ledger.endRun(runId, 'success', '2026-01-02T00:10:00Z', null);
      for (const again of [...rest, await ledger.publish(wanted)]) expect(again).toEqual(first);
      expect(await ledger.history({})).toEqual([first]);
    });

    test('an older attempt cannot publish once a newer one has, whatever snapshot it holds', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      const published = await publishNow(ledger, runId, 'load', [day1], { attempt: 2 });
      await expect(publishNow(ledger, runId, 'load', [day1], { attempt: 1 })).rejects.toThrow(TerminalError);
      expect(await ledger.history({})).toEqual([published]);
    });

    test('a newer attempt publishes over an older one of its task', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      await publishNow(ledger, runId, 'load', [day1], { attempt: 1 });
      const second = await publishNow(ledger, runId, 'load', [day1], { attempt: 2 });
      expect((await ledger.partitions(bronze.name))[0]!.publicationId).toBe(second.id);
    });

    test('instances of a mapped task publish each for itself', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      const days = Array.from({ length: 10 }, (_, index) => bronzeDay(`2026-01-${10 + index}`));
      await Promise.all(
        days.map(async (day, mapIndex) => {
          const { snapshot } = await ledger.snapshot([writes(day)]);
          await ledger.publish(request(runId, manifest(snapshot, [output(day)]), { mapIndex }));
        }),
      );
      expect(await ledger.partitions(bronze.name)).toHaveLength(10);
    });

    test('a closed run cannot publish, nor one that was never begun', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      await ledger.endRun(runId, 'cancelled', '2026-01-02T00:10:00Z', null);
      await expect(publishNow(ledger, runId, 'load', [day1])).rejects.toThrow(RunClosedError);
      await expect(publishNow(ledger, 'nobody', 'load', [day1])).rejects.toThrow(RunClosedError);
      expect(await ledger.partitions(bronze.name)).toEqual([]);
    });

    test('nothing of a run appears after its end was told, however close the two come', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const other = await fixture.another();
      await ledger.registerTables([bronze]);
      for (let round = 0; round < 20; round += 1) {
        const runId = await openRun(ledger);
        const publishing = publishNow(other, runId, 'load', [bronzeDay(`round-${round}`)]).then(
          () => true,
          (error: unknown) => (expect(error).toBeInstanceOf(RunClosedError), false),
        );
        await ledger.endRun(runId, 'cancelled', '2026-01-02T00:10:00Z', null);
        const visible = (await ledger.history({ runId })).length === 1;
        expect(await publishing).toBe(visible);
      }
    });

    test('a removed partition is absent to readers, stays in history and may come back', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      await publishNow(ledger, runId, 'a', [day1, bronzeDay('2026-01-02')]);
      const { 'day=2026-01-01': first } = await versionsOf(ledger, bronze.name);
      await publishNow(ledger, runId, 'b', [day1], { removed: true });
      expect(Object.keys(await versionsOf(ledger, bronze.name))).toEqual(['day=2026-01-02']);
      const { snapshot } = await ledger.snapshot([
        reads(day1),
        reads({ table: bronze.name, where: { day: ['2026-01-01'] } }),
      ]);
      expect(snapshot.parts.map((part) => part.versions)).toEqual([{ 'day=2026-01-01': null }, {}]);
      expect((await ledger.tables())[0]).toMatchObject({ partitions: 1, rows: 10, bytes: 100 });
      const history = await ledger.history({ table: bronze.name, partition: 'day=2026-01-01' });
      expect(history.map((publication) => publication.outputs[0]!.removed)).toEqual([true, false]);
      await publishNow(ledger, runId, 'c', [day1]);
      expect((await versionsOf(ledger, bronze.name))['day=2026-01-01']).toBeGreaterThan(first!);
    });

    test('values with slashes, percent signs and other scripts name their partition', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([silver]);
      const runId = await openRun(ledger);
      const odd = silverSlice('a/b=c%', '日本\'"');
      await publishNow(ledger, runId, 'a', [odd, silverSlice('a', 'b')]);
      const { partitions } = await ledger.snapshot([
        reads(odd),
        reads({ table: silver.name, where: { kind: ['日本\'"'] } }),
      ]);
      expect(partitions.map((version) => version.partition)).toEqual([{ day: 'a/b=c%', kind: '日本\'"' }]);
    });
  });
}
