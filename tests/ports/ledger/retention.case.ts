import { describe, expect } from 'vitest';
import type { Ledger } from '../../../ports/ledger.ts';
import type { ConformanceTest } from '../conformance.ts';
import {
  bronze,
  bronzeDay,
  manifest,
  openRun,
  output,
  publishNow,
  request,
  silver,
  silverSlice,
  writes,
} from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const day1 = bronzeDay('2026-01-01');
const slice1 = silverSlice('2026-01-01', 'sale');
const endedAt = '2026-01-02T00:10:00Z';
const later = (): string => new Date(Date.now() + 3_600_000).toISOString();

const unreferenced = async (ledger: Ledger): Promise<string[]> =>
  (await ledger.unreferencedFiles(later())).map((file) => file.key).sort();

/** A run that publishes `written` and ends; the keys of its files. */
async function completeRun(
  ledger: Ledger,
  workflowId: string,
  written: Parameters<typeof publishNow>[3],
  outcome: 'success' | 'failed' = 'success',
  options: Parameters<typeof publishNow>[4] = {},
): Promise<string[]> {
  const hour = String((await ledger.runs({ workflowId })).length).padStart(2, '0');
  const runId = await openRun(ledger, { workflowId, startedAt: `2026-01-02T${hour}:00:00Z` });
  const published = await publishNow(ledger, runId, 'load', written, options);
  await ledger.endRun(runId, outcome, endedAt, null);
  return published.outputs.flatMap((each) => each.files.map((file) => file.key)).sort();
}

export function retentionCases(test: ConformanceTest, open: OpenLedger): void {
  describe('files nobody needs', () => {
    test('are those of superseded versions, once they are old enough, until they are forgotten', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const first = await completeRun(ledger, 'shop-1', [day1, bronzeDay('2026-01-02')]);
      expect(await unreferenced(ledger)).toEqual([]);
      await completeRun(ledger, 'shop-1', [day1]);
      const files = await ledger.unreferencedFiles(later());
      expect(files).toEqual([{ version: expect.any(Number), key: expect.any(String), bytes: 100 }]);
      expect(first).toContain(files[0]!.key);
      expect(await ledger.unreferencedFiles('2026-01-01T00:00:00Z')).toEqual([]);
      const { key, version } = files[0]!;
      expect([...(await ledger.referencedKeys(key))]).toEqual([key]);
      await ledger.forgetVersions([version]);
      await ledger.forgetVersions([version]);
      expect([...(await ledger.referencedKeys(key))]).toEqual([]);
      expect(await ledger.unreferencedFiles(later())).toEqual([]);
      const history = await ledger.history({ table: bronze.name, partition: 'day=2026-01-01' });
      expect(history.map((publication) => publication.outputs.flatMap((each) => each.files).length)).toEqual([
        1, 1,
      ]);
    });

    test('a version that readers see is never forgotten', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      await completeRun(ledger, 'shop-1', [day1]);
      const [current] = await ledger.partitions(bronze.name);
      await ledger.forgetVersions([current!.version]);
      expect(await ledger.partitions(bronze.name)).toEqual([current]);
    });

    test('a removed partition leaves its last files to be removed', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const files = await completeRun(ledger, 'shop-1', [day1]);
      await completeRun(ledger, 'shop-2', [day1], 'success', { removed: true });
      expect(await unreferenced(ledger)).toEqual(files);
    });

    test('what was current when an open run began stays', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const first = await completeRun(ledger, 'shop-1', [day1]);
      const second = await completeRun(ledger, 'shop-1', [day1]);
      const reader = await openRun(ledger);
      await completeRun(ledger, 'shop-1', [day1]);
      expect(await unreferenced(ledger)).toEqual(first);
      await ledger.endRun(reader, 'success', endedAt, null);
      expect(await unreferenced(ledger)).toEqual([...first, ...second].sort());
    });

    test('what the latest run of an interval wrote or read stays while that run may be resumed', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze, silver]);
      const read = await completeRun(ledger, 'shop-1', [day1]);
      const written = await completeRun(ledger, 'shop-2', [slice1], 'failed', { reads: [day1] });
      await completeRun(ledger, 'shop-3', [day1, slice1]);
      expect(await unreferenced(ledger)).toEqual([]);
      await completeRun(ledger, 'shop-2', [silverSlice('2026-01-01', 'refund')]);
      expect(await unreferenced(ledger)).toEqual([...read, ...written].sort());
    });

    test('a file that a current version shares stays', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const [kept] = await completeRun(ledger, 'shop-1', [day1]);
      const runId = await openRun(ledger);
      const { snapshot } = await ledger.snapshot([writes(day1)]);
      const files = [{ key: kept!, bytes: 100, rows: 10 }];
      await ledger.publish(request(runId, manifest(snapshot, [output(day1, { files })])));
      await ledger.endRun(runId, 'success', endedAt, null);
      expect(await unreferenced(ledger)).toEqual([]);
    });
  });
}
