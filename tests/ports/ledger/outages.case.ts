import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { RetryableError } from '../../../ports/errors.ts';
import type { ConformanceTest } from '../conformance.ts';
import {
  bronze,
  bronzeDay,
  manifest,
  newRun,
  openRun,
  output,
  request,
  silver,
  silverSlice,
  writes,
} from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

/** Repeats while the call says it may be repeated; how often it failed. */
async function untilItSucceeds<Result>(
  call: () => Promise<Result>,
): Promise<{ result: Result; failures: number }> {
  for (let failures = 0; ; failures += 1) {
    try {
      return { result: await call(), failures };
    } catch (error) {
      expect(error).toBeInstanceOf(RetryableError);
    }
  }
}

export function outageCases(test: ConformanceTest, open: OpenLedger): void {
  describe('a connection cut at any moment', () => {
    test('leaves each publication whole or absent, and repeating it publishes once', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.registerTables([bronze, silver]);
      const runId = await openRun(ledger);
      const written = [bronzeDay('2026-01-01'), silverSlice('2026-01-01', 'sale')];
      const rounds = 40;
      let failures = 0;
      for (let round = 0; round < rounds; round += 1) {
        const { snapshot } = await ledger.snapshot(written.map(writes));
        const wanted = request(
          runId,
          manifest(
            snapshot,
            written.map((selector) => output(selector)),
          ),
          {
            taskId: `task-${round}`,
          },
        );
        const cutting = delay((round % 10) / 2).then(() => fixture.cut());
        failures += (await untilItSucceeds(() => ledger.publish(wanted))).failures;
        await cutting;
        await untilItSucceeds(() => ledger.publish(wanted));
        const { result } = await untilItSucceeds(() => ledger.snapshot(written.map(writes)));
        expect(new Set(result.partitions.map((version) => version.publicationId)).size).toBe(1);
      }
      expect(failures).toBeGreaterThan(0);
      expect(await ledger.history({ limit: 1_000 })).toHaveLength(rounds);
    }, 120_000);

    test('leaves the run log as if every write had happened once', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      for (let round = 0; round < 20; round += 1) {
        const run = newRun();
        const cutting = delay(round % 5).then(() => fixture.cut());
        await untilItSucceeds(() => ledger.beginRun(run));
        await untilItSucceeds(() => ledger.endRun(run.runId, 'success', '2026-01-02T00:10:00Z', null));
        await cutting;
      }
      const { result } = await untilItSucceeds(() => ledger.runs({ limit: 100 }));
      expect(result.map((run) => run.state)).toEqual(Array.from({ length: 20 }, () => 'success'));
    });
  });
}
