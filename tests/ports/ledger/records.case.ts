import { describe, expect } from 'vitest';
import type { RuleResult } from '../../../ports/ledger.ts';
import type { ConformanceTest } from '../conformance.ts';
import { bronze, bronzeDay, openRun, publishNow, silver, silverSlice } from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const day1 = bronzeDay('2026-01-01');
const day2 = bronzeDay('2026-01-02');

const rule = (name: string, partition: string): RuleResult => ({
  table: bronze.name,
  partition,
  rule: name,
  severity: 'warn',
  outcome: 'pass',
  checked: 1,
  failed: 0,
  details: { note: name },
});

export function recordCases(test: ConformanceTest, open: OpenLedger): void {
  describe('what a publication leaves behind', () => {
    test('accounts are replaced by the next publication that gives them', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      const account = (partition: string, curated: number) => ({
        scope: 'shop',
        partition,
        read: curated + 1,
        parts: { curated, audit: 1 },
      });
      const first = await publishNow(ledger, runId, 'a', [day1], {
        manifest: { accounts: [account('2', 5), account('1', 4)] },
      });
      const second = await publishNow(ledger, runId, 'b', [day1], {
        manifest: { accounts: [account('1', 7)] },
      });
      expect(await ledger.accounts('shop')).toEqual([
        { ...account('1', 7), publicationId: second.id },
        { ...account('2', 5), publicationId: first.id },
      ]);
      expect(await ledger.accounts('other')).toEqual([]);
    });

    test('watermarks move with the publication, of whatever shape they are', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const runId = await openRun(ledger);
      expect(await ledger.watermark('orders')).toBeNull();
      const values = [{ updatedAt: '2026-01-01T00:00:00.123456Z', key: 7 }, 'text', 12, false];
      for (const [index, value] of values.entries()) {
        await publishNow(ledger, runId, `task-${index}`, [day1], {
          manifest: { watermarks: [{ name: 'orders', value }] },
        });
        expect(await ledger.watermark('orders')).toEqual(value);
      }
    });

    test('rule results are those each task gave last for each partition', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const [first, second] = [await openRun(ledger), await openRun(ledger)];
      const publishRules = (runId: string, taskId: string, rules: RuleResult[]) =>
        publishNow(ledger, runId, taskId, [day1, day2], { manifest: { rules } });
      const old = await publishRules(first, 'clean', [
        rule('old', 'day=2026-01-01'),
        rule('kept', 'day=2026-01-02'),
      ]);
      const extra = await publishRules(first, 'profile', [rule('profiled', 'day=2026-01-01')]);
      const now = await publishRules(second, 'clean', [rule('new', 'day=2026-01-01')]);
      const names = async (filter: Parameters<typeof ledger.ruleResults>[0]) =>
        (await ledger.ruleResults(filter)).map((result) => [result.rule, result.publicationId]);
      expect(await names({ table: bronze.name })).toEqual([
        ['profiled', extra.id],
        ['new', now.id],
        ['kept', old.id],
      ]);
      expect(await names({ partition: 'day=2026-01-02' })).toEqual([['kept', old.id]]);
      expect(await names({ publicationId: old.id })).toEqual([
        ['old', old.id],
        ['kept', old.id],
      ]);
    });

    test('history is newest first, by table, partition and run', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze, silver]);
      const [first, second] = [await openRun(ledger), await openRun(ledger)];
      await publishNow(ledger, first, 'ingest', [day1, day2]);
      await publishNow(ledger, first, 'clean', [silverSlice('2026-01-01', 'sale')], { reads: [day1] });
      await publishNow(ledger, second, 'ingest', [day2]);
      const tasks = async (filter: Parameters<typeof ledger.history>[0]) =>
        (await ledger.history(filter)).map(
          (publication) => `${publication.runId === first ? 1 : 2} ${publication.taskId}`,
        );
      expect(await tasks({})).toEqual(['2 ingest', '1 clean', '1 ingest']);
      expect(await tasks({ limit: 1 })).toEqual(['2 ingest']);
      expect(await tasks({ table: bronze.name })).toEqual(['2 ingest', '1 ingest']);
      expect(await tasks({ table: bronze.name, partition: 'day=2026-01-01' })).toEqual(['1 ingest']);
      expect(await tasks({ runId: first })).toEqual(['1 clean', '1 ingest']);
      expect(await tasks({ runId: second, table: silver.name })).toEqual([]);
      expect((await ledger.history({ limit: 1, table: bronze.name }))[0]!.outputs).toHaveLength(1);
    });
  });
}
