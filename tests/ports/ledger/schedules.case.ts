import { describe, expect } from 'vitest';
import { RunClosedError } from '../../../ports/errors.ts';
import type { ConformanceTest } from '../conformance.ts';
import { hashOf, newRun, openRun, plan, type OpenLedger } from './fixture.ts';

const daily = { ...plan, schedule: { cron: '0 0 * * *' }, maxActiveRuns: 2 };

export function scheduleCases(test: ConformanceTest, open: OpenLedger): void {
  describe('schedules', () => {
    test('a schedule is in force from its deploy until it is withdrawn, and its clock stays', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      expect(await ledger.clock('shop')).toBeNull();
      await ledger.deploySchedule(daily, hashOf(daily), '2026-01-01T00:00:00Z');
      await ledger.moveClock('shop', '2026-01-03T00:00:00Z');
      await ledger.moveClock('shop', '2026-01-02T00:00:00Z');
      expect(await ledger.clock('shop')).toEqual({
        dagId: 'shop',
        paused: false,
        plan: daily,
        planHash: hashOf(daily),
        tickedTo: '2026-01-03T00:00:00Z',
      });
      await ledger.withdrawSchedule('shop');
      expect(await ledger.clocks()).toEqual([
        { dagId: 'shop', paused: false, plan: null, planHash: null, tickedTo: '2026-01-03T00:00:00Z' },
      ]);
    });

    test('a deploy moves the clock when the schedule was not in force or was another, and only then', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const at = async () => (await ledger.clock('shop'))!.tickedTo;
      await ledger.deploySchedule(daily, hashOf(daily), null);
      expect(await at()).toBeNull();
      const edited = { ...daily, description: 'other tasks' };
      await ledger.deploySchedule(edited, hashOf(edited), '2026-01-05T00:00:00Z');
      expect(await at()).toBeNull();
      const hourly = { ...daily, schedule: { cron: '0 * * * *' } };
      await ledger.deploySchedule(hourly, hashOf(hourly), '2026-01-05T00:00:00Z');
      expect(await at()).toBe('2026-01-05T00:00:00Z');
      await ledger.deploySchedule(daily, hashOf(daily), '2026-01-04T00:00:00Z');
      expect(await at()).toBe('2026-01-05T00:00:00Z');
      await ledger.withdrawSchedule('shop');
      await ledger.deploySchedule(daily, hashOf(daily), '2026-01-06T00:00:00Z');
      expect(await at()).toBe('2026-01-06T00:00:00Z');
    });

    test('a clock never begins in the future, whatever the caller believes the time to be', async () => {
      await using fixture = await open();
      await fixture.ledger.deploySchedule(daily, hashOf(daily), '2999-01-01T00:00:00Z');
      expect(Date.parse((await fixture.ledger.clock('shop'))!.tickedTo!)).toBeLessThan(
        Date.parse('2900-01-01'),
      );
    });

    test('a pause survives deploys and withdrawals, and is told once when it begins and when it ends', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      expect([await ledger.pause('shop'), await ledger.pause('shop')]).toEqual([true, false]);
      await ledger.deploySchedule(daily, hashOf(daily), null);
      await ledger.withdrawSchedule('shop');
      await ledger.deploySchedule(daily, hashOf(daily), null);
      expect(await ledger.clock('shop')).toMatchObject({
        paused: true,
        planHash: hashOf(daily),
        tickedTo: null,
      });
      expect(await ledger.unpause('shop', '2026-01-05T00:00:00Z')).toBe(true);
      expect(await ledger.unpause('shop', '2026-01-06T00:00:00Z')).toBe(false);
      expect(await ledger.unpause('nothing', null)).toBe(false);
      expect(await ledger.clock('shop')).toMatchObject({ paused: false, tickedTo: '2026-01-05T00:00:00Z' });
    });

    test('workflow ids that had a run are known, open or closed', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await openRun(ledger, { workflowId: 'shop-1' });
      const closed = await openRun(ledger, { workflowId: 'shop-2' });
      await ledger.endRun(closed, 'cancelled', '2026-01-02T00:00:00Z', null);
      expect(await ledger.knownWorkflows(['shop-1', 'shop-2', 'shop-3'])).toEqual(
        new Set(['shop-1', 'shop-2']),
      );
      expect(await ledger.knownWorkflows([])).toEqual(new Set());
    });

    test('runs get their turn in the order they began, no more at a time than their plan allows', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const ids: string[] = [];
      for (const n of [1, 2, 3, 4])
        ids.push(await openRun(ledger, { plan: daily, planHash: hashOf(daily), workflowId: `shop-${n}` }));
      const admitted = async (n: number) => (await ledger.admitRun(ids[n - 1]!)).admitted;
      // The fourth may not overtake, though there is room.
      expect([await admitted(4), await admitted(1), await admitted(1), await admitted(2)]).toEqual([
        false,
        true,
        true,
        true,
      ]);
      expect(await ledger.admitRun(ids[3]!)).toEqual({
        admitted: false,
        maxActiveRuns: 2,
        active: ['shop-1', 'shop-2'],
        ahead: 1,
      });
      expect((await ledger.run(ids[2]!))?.queued).toBe(true);
      await ledger.endRun(ids[0]!, 'success', '2026-01-03T00:00:00Z', null);
      expect(await ledger.nextQueued(ids[0]!)).toBe('shop-3');
      expect([await admitted(4), await admitted(3)]).toEqual([false, true]);
      await ledger.endRun(ids[3]!, 'cancelled', '2026-01-03T00:00:00Z', null);
      expect(await ledger.run(ids[3]!)).toMatchObject({ state: 'cancelled', queued: false });
      expect(await ledger.nextQueued(ids[0]!)).toBeNull();
      await expect(ledger.admitRun(ids[3]!)).rejects.toThrow(RunClosedError);
      await expect(ledger.admitRun('nobody')).rejects.toThrow(RunClosedError);
    });

    test('of many runs that ask at once, exactly as many get their turn as may', async () => {
      await using fixture = await open();
      const other = await fixture.another();
      const ids: string[] = [];
      for (let n = 0; n < 12; n += 1)
        ids.push(await openRun(fixture.ledger, { plan: daily, planHash: hashOf(daily) }));
      await Promise.all(
        ids.flatMap((id) => [fixture.ledger.admitRun(id), other.admitRun(id), fixture.ledger.admitRun(id)]),
      );
      const open_ = await fixture.ledger.runs({ state: 'running' });
      const active = open_.filter((run) => !run.queued).map((run) => run.runId);
      expect(active.length).toBeLessThanOrEqual(2);
      for (const id of ids) await fixture.ledger.admitRun(id);
      const now = (await fixture.ledger.runs({ state: 'running' })).filter((run) => !run.queued);
      expect(now.map((run) => run.runId).sort()).toEqual(ids.slice(0, 2).sort());
    });

    test('runs of a backfill neither wait nor take a turn from others', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const backfills = [];
      for (let n = 0; n < 3; n += 1)
        backfills.push(await openRun(ledger, newRun({ type: 'backfill', plan: daily })));
      for (const id of backfills) expect(await ledger.run(id)).toMatchObject({ queued: false });
      const own = await openRun(ledger, { plan: daily, planHash: hashOf(daily) });
      expect(await ledger.admitRun(own)).toEqual({ admitted: true });
    });
  });
}
