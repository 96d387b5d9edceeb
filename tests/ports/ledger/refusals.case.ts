import { describe, expect } from 'vitest';
import { TerminalError } from '../../../ports/errors.ts';
import type {
  Ledger,
  Manifest,
  OutputPartition,
  PartitionSelector,
  RuleResult,
} from '../../../ports/ledger.ts';
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
  writes,
} from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const day1 = bronzeDay('2026-01-01');
const partition = 'day=2026-01-01';

function rule(overrides: Partial<RuleResult> = {}): RuleResult {
  return {
    table: bronze.name,
    partition,
    rule: 'amount_not_null',
    severity: 'error',
    outcome: 'pass',
    checked: 10,
    failed: 0,
    details: {},
    ...overrides,
  };
}

async function tryToPublish(
  ledger: Ledger,
  of: {
    outputs?: readonly OutputPartition[];
    wanted?: readonly PartitionSelector[];
    manifest?: Partial<Manifest>;
  },
) {
  await ledger.registerTables([bronze, silver, rates]);
  const runId = await openRun(ledger);
  const { snapshot } = await ledger.snapshot((of.wanted ?? [day1]).map(writes));
  return ledger.publish(request(runId, manifest(snapshot, of.outputs ?? [output(day1)], of.manifest)));
}

export function refusalCases(test: ConformanceTest, open: OpenLedger): void {
  describe('what may not be published', () => {
    test('a failed rule of severity error refuses and is remembered, with every other reason', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const rules = [
        rule({ outcome: 'fail', failed: 4 }),
        rule({ rule: 'id_unique', outcome: 'fail', failed: 2 }),
      ];
      const accounts = [{ scope: 'shop', partition, read: 10, parts: { curated: 6, audit: 3 } }];
      const refused = tryToPublish(ledger, { manifest: { rules, accounts } });
      await expect(refused).rejects.toThrow(TerminalError);
      await expect(refused).rejects.toThrow(
        /amount_not_null failed for 4 of 10.*id_unique.*read 10 but accounts for 9/,
      );
      expect(await ledger.partitions(bronze.name)).toEqual([]);
      expect(await ledger.accounts('shop')).toEqual([]);
      expect(await ledger.events({ kind: 'publish_refused' })).toMatchObject([{ payload: { rules } }]);
    });

    test('a failed rule of severity warn publishes with a warning', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const rules = [rule(), rule({ rule: 'country_known', severity: 'warn', outcome: 'warn', failed: 1 })];
      const published = await tryToPublish(ledger, { manifest: { rules } });
      expect(published.verdict).toBe('warn');
      expect(await ledger.ruleResults({ publicationId: published.id })).toEqual(
        rules.map((result) => ({ ...result, publicationId: published.id })),
      );
    });

    test('an output the snapshot does not name as an output is refused', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await expect(tryToPublish(ledger, { outputs: [output(bronzeDay('2026-01-02'))] })).rejects.toThrow(
        /shop.bronze\/day=2026-01-02 outside/,
      );
      const runId = await openRun(ledger);
      const { snapshot } = await ledger.snapshot([reads(day1)]);
      await expect(ledger.publish(request(runId, manifest(snapshot, [output(day1)])))).rejects.toThrow(
        TerminalError,
      );
      expect(await ledger.history({})).toEqual([]);
    });

    test('an output the snapshot takes in through a filter is accepted', async () => {
      await using fixture = await open();
      const wanted: PartitionSelector[] = [{ table: bronze.name, where: { day: ['2026-01-01'] } }];
      expect((await tryToPublish(fixture.ledger, { wanted })).outputs).toHaveLength(1);
    });

    test('a partition given twice is refused', async () => {
      await using fixture = await open();
      await expect(tryToPublish(fixture.ledger, { outputs: [output(day1), output(day1)] })).rejects.toThrow(
        /twice/,
      );
    });

    test('an account or a watermark given twice is refused', async () => {
      await using fixture = await open();
      const account = { scope: 'shop', partition, read: 1, parts: { curated: 1 } };
      const mark = { name: 'w', value: 1 };
      await expect(
        tryToPublish(fixture.ledger, {
          manifest: { accounts: [account, account], watermarks: [mark, mark] },
        }),
      ).rejects.toThrow(/account shop.*twice; watermark w is given twice/);
    });

    test('files in a removed partition are refused', async () => {
      await using fixture = await open();
      await expect(
        tryToPublish(fixture.ledger, { outputs: [output(day1, { removed: true })] }),
      ).rejects.toThrow(/removed/);
    });

    test('a table nobody registered and columns it is not partitioned by are refused by name', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze]);
      const wrong: PartitionSelector[] = [
        { table: 'shop.unknown', values: {} },
        { table: bronze.name, values: {} },
        { table: bronze.name, values: { day: 'x', hour: 'y' } },
        { table: bronze.name, where: { hour: ['y'] } },
      ];
      for (const selector of wrong)
        await expect(ledger.snapshot([reads(selector)])).rejects.toThrow(TerminalError);
      await expect(ledger.snapshot([reads(wrong[0]!)])).rejects.toThrow(/shop.unknown/);
      await expect(ledger.snapshot([reads(wrong[3]!)])).rejects.toThrow(/hour/);
    });

    test('a table keeps its partition columns once it was published, and may change the rest', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([{ ...bronze, partitionBy: ['id'] }]);
      await ledger.registerTables([bronze]);
      await publishNow(ledger, await openRun(ledger), 'a', [day1]);
      await expect(ledger.registerTables([{ ...bronze, partitionBy: ['id'] }])).rejects.toThrow(
        TerminalError,
      );
      const columns = [...bronze.columns, { name: 'note', type: 'text' as const, nullable: true }];
      await ledger.registerTables([{ ...bronze, columns, description: 'as delivered' }]);
      expect(await ledger.tables()).toEqual([
        {
          ...bronze,
          columns,
          description: 'as delivered',
          partitions: 1,
          rows: 10,
          bytes: 100,
          updatedAt: '2026-01-02T00:01:00Z',
        },
      ]);
    });
  });
}
