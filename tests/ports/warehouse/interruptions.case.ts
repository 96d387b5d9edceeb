import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, vi } from 'vitest';
import { RetryableError } from '../../../ports/errors.ts';
import type { ConformanceTest } from '../conformance.ts';
import { csv, kpiLoad, kpiRows, recompute, rowsOf, summaryLoad, summaryRows } from './fixture.ts';
import type { OpenWarehouse, Row } from './fixture.ts';

const day = '2026-01-01';
const old: Row[] = [['a', day, '1', 'old']];

/** Rows, and then silence. */
async function* stalled(rows: Iterable<Row>): AsyncGenerator<Uint8Array> {
  yield* csv(rows);
  await new Promise(() => undefined);
}

export function interruptionCases(test: ConformanceTest, open: OpenWarehouse): void {
  describe('interruptions', () => {
    test('a load whose source fails changes nothing and fails with the source’s error', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day, 1, old));
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield* csv([['b', day, '2', null]]);
        throw new Error('the file is gone');
      }
      await expect(warehouse.replaceSlice(kpiLoad(day, 2, failing()))).rejects.toThrow('the file is gone');
      expect(await kpiRows(warehouse)).toHaveLength(1);
      await vi.waitFor(async () => expect(await fixture.busySessions()).toBe(0));
    });

    test('an aborted load ends while its source is silent, with the reason it was given', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day, 1, old));
      const stop = new AbortController();
      const loading = warehouse.replaceSlice(kpiLoad(day, 2, stalled([['b', day, '2', null]])), {
        signal: stop.signal,
      });
      await vi.waitFor(async () => expect(await fixture.busySessions()).toBe(1));
      stop.abort(new Error('the run was cancelled'));
      await expect(loading).rejects.toThrow('the run was cancelled');
      await vi.waitFor(async () => expect(await fixture.busySessions()).toBe(0));
      expect(await kpiRows(warehouse)).toHaveLength(1);
      expect(await warehouse.replaceSlice(kpiLoad(day, 2, old))).toMatchObject({ outcome: 'loaded' });
    });

    test('an aborted load stops the statement the server is working on', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      const stop = new AbortController();
      const request = summaryLoad(day, 1, { 1: '1.00' });
      const slow = `select customer, spent, days from (${recompute.split(';')[0]!}) r, pg_sleep(600)`;
      const loading = warehouse.replaceSlice(
        { ...request, staging: { ...request.staging!, recompute: slow } },
        { signal: stop.signal },
      );
      await vi.waitFor(async () =>
        expect(
          await rowsOf(warehouse, `select 1 from pg_stat_activity where wait_event = 'PgSleep'`),
        ).toHaveLength(1),
      );
      stop.abort(new Error('the run was cancelled'));
      await expect(loading).rejects.toThrow('the run was cancelled');
      await vi.waitFor(async () => expect(await fixture.busySessions()).toBe(0));
      await expect(rowsOf(warehouse, 'select * from mart.summary')).rejects.toThrow(/mart.summary/);
    });

    test('a load that was aborted before it began does not begin', async () => {
      await using fixture = await open();
      const signal = AbortSignal.abort(new Error('too late'));
      await expect(fixture.warehouse.replaceSlice(kpiLoad(day, 1, old), { signal })).rejects.toThrow(
        'too late',
      );
      await expect(fixture.warehouse.query('select 1', { signal })).rejects.toThrow('too late');
    });

    test('loads of one target that wait for each other may be aborted one by one, in any number', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      const [first, third] = [new AbortController(), new AbortController()];
      const beats: number[] = [0, 0, 0];
      const load = (index: number, rows: AsyncIterable<Uint8Array>, signal?: AbortSignal) =>
        warehouse.replaceSlice(kpiLoad(day, 1, rows), {
          beat: () => (beats[index]! += 1),
          ...(signal === undefined ? {} : { signal }),
        });
      const stuck = expect(load(0, stalled([]), first.signal)).rejects.toThrow('first');
      const waiting = Array.from({ length: 20 }, () => load(1, csv(old)));
      const aborted = expect(load(2, csv(old), third.signal)).rejects.toThrow('third');
      await vi.waitFor(() => expect(Math.min(...beats)).toBeGreaterThan(0), { timeout: 20_000 });
      third.abort(new Error('third'));
      await aborted;
      first.abort(new Error('first'));
      await stuck;
      for (const result of await Promise.all(waiting)) expect(result.outcome).toBe('loaded');
      expect(await kpiRows(warehouse)).toHaveLength(1);
    });

    test('a waiting load shows that it lives', async () => {
      await using fixture = await open();
      const stop = new AbortController();
      let beats = 0;
      const beat = (): void => {
        beats += 1;
      };
      const loading = fixture.warehouse.replaceSlice(kpiLoad(day, 1, stalled([])), {
        signal: stop.signal,
        beat,
      });
      await vi.waitFor(() => expect(beats).toBeGreaterThan(1), { timeout: 20_000 });
      stop.abort(new Error('enough'));
      await expect(loading).rejects.toThrow('enough');
    });

    test('a connection cut at any moment leaves the old slice or the new one, and repeating the load finishes it', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(summaryLoad(day, 1, {}));
      let failures = 0;
      for (let round = 0; round < 30; round += 1) {
        const spent = Object.fromEntries(
          Array.from({ length: 50 }, (_, customer) => [customer + 1, `${round}.00`]),
        );
        const attempt = () => warehouse.replaceSlice(summaryLoad(day, round + 2, spent));
        const cutting = delay(round % 15).then(() => fixture.cut());
        for (let done = false; !done;) {
          done = await attempt().then(
            () => true,
            (error: unknown) => (expect(error).toBeInstanceOf(RetryableError), false),
          );
          if (!done) failures += 1;
        }
        await cutting;
        const rows = await vi.waitFor(() => summaryRows(warehouse));
        expect(rows).toHaveLength(50);
        expect(new Set(rows.map((row) => row[1]))).toEqual(new Set([`${round}.00`]));
      }
      expect(failures).toBeGreaterThan(0);
    }, 120_000);
  });
}
