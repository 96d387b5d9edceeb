import { describe, expect } from 'vitest';
import type { IntervalRecord } from '../../../dag/backfill-reducer.ts';
import { TerminalError } from '../../../ports/errors.ts';
import type { NewBackfill } from '../../../ports/backfill.ts';
import type { ConformanceTest } from '../conformance.ts';
import { openRun } from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const request: NewBackfill['request'] = {
  dagId: 'shop',
  timetable: { schedule: { cron: '@daily' }, timezone: 'UTC' },
  from: '2026-01-01T00:00:00Z',
  to: '2026-01-03T00:00:00Z',
  backwards: false,
  reprocess: 'failed',
  maxActiveRuns: 4,
  params: { note: 'naïve' },
  runsPerExecution: 500,
};

function backfill(backfillId: string, createdAt = '2026-02-01T00:00:00Z'): NewBackfill {
  return { backfillId, workflowId: 'ingot-backfill-shop', request, total: 3, createdAt };
}

function interval(
  day: number,
  state: IntervalRecord['state'],
  overrides: Partial<IntervalRecord> = {},
): IntervalRecord {
  const at = Date.parse('2026-02-01T00:00:01Z') + day * 1000;
  return {
    start: `2026-01-0${day}T00:00:00Z`,
    end: `2026-01-0${day + 1}T00:00:00Z`,
    state,
    reason: 'no run yet',
    runId: state === 'skipped' ? null : `run-${day}`,
    startedAt: state === 'skipped' ? null : at,
    endedAt: state === 'running' ? null : at + 500,
    ...overrides,
  };
}

export function backfillCases(test: ConformanceTest, open: OpenLedger): void {
  describe('backfills', () => {
    test('a backfill begun twice is one, read back as it was asked for, with its intervals counted', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.beginBackfill(backfill('b1'));
      await ledger.beginBackfill(backfill('b1'));
      const records = [interval(2, 'running'), interval(1, 'skipped')];
      await ledger.recordBackfill('b1', { records, paused: true, revision: 1 });
      const { timetable: _, runsPerExecution: __, ...asked } = request;
      expect(await ledger.backfills({ open: true })).toEqual([
        {
          ...asked,
          backfillId: 'b1',
          workflowId: 'ingot-backfill-shop',
          state: 'paused',
          createdAt: '2026-02-01T00:00:00Z',
          endedAt: null,
          counts: { skipped: 1, running: 1, success: 0, failed: 0, cancelled: 0, remaining: 1, total: 3 },
        },
      ]);
      expect(await ledger.backfillIntervals('b1')).toEqual([
        {
          start: '2026-01-01T00:00:00Z',
          end: '2026-01-02T00:00:00Z',
          state: 'skipped',
          reason: 'no run yet',
          runId: null,
          startedAt: null,
          endedAt: '2026-02-01T00:00:02.500Z',
        },
        {
          start: '2026-01-02T00:00:00Z',
          end: '2026-01-03T00:00:00Z',
          state: 'running',
          reason: 'no run yet',
          runId: 'run-2',
          startedAt: '2026-02-01T00:00:03Z',
          endedAt: null,
        },
      ]);
      expect(await ledger.backfill('another')).toBeNull();
    });

    test('what arrives late changes nothing: neither an interval that ended, nor the pause, nor the end', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.beginBackfill(backfill('b1'));
      await ledger.recordBackfill('b1', { records: [interval(1, 'failed')], paused: true, revision: 2 });
      await ledger.recordBackfill('b1', { records: [interval(1, 'running')], paused: false, revision: 1 });
      expect(await ledger.backfill('b1')).toMatchObject({
        state: 'paused',
        counts: { failed: 1, running: 0 },
      });
      await ledger.endBackfill('b1', 'failed', '2026-02-02T00:00:00Z');
      await ledger.endBackfill('b1', 'success', '2026-02-03T00:00:00Z');
      await ledger.recordBackfill('b1', { records: [], paused: false, revision: 3 });
      expect(await ledger.backfill('b1')).toMatchObject({ state: 'failed', endedAt: '2026-02-02T00:00:00Z' });
      await expect(ledger.endBackfill('b2', 'success', '2026-02-03T00:00:00Z')).rejects.toThrow(
        TerminalError,
      );
    });

    test('one whose execution ended unsaid is closed when the next one of its range begins', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.beginBackfill(backfill('b1'));
      await ledger.recordBackfill('b1', { records: [interval(1, 'running')], paused: false, revision: 1 });
      await ledger.beginBackfill(backfill('b2', '2026-02-05T00:00:00Z'));
      expect(await ledger.backfills({ workflowId: 'ingot-backfill-shop' })).toMatchObject([
        { backfillId: 'b2', state: 'running' },
        {
          backfillId: 'b1',
          state: 'failed',
          endedAt: '2026-02-05T00:00:00Z',
          counts: { running: 0, failed: 1 },
        },
      ]);
    });

    test('of each workflow id the state of its latest run is told, and nothing of those without', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const first = await openRun(ledger, { workflowId: 'shop-1', startedAt: '2026-01-02T00:00:00Z' });
      await ledger.endRun(first, 'failed', '2026-01-02T01:00:00Z', null);
      await openRun(ledger, { workflowId: 'shop-1', startedAt: '2026-01-03T00:00:00Z' });
      const other = await openRun(ledger, { workflowId: 'shop-2' });
      await ledger.endRun(other, 'success', '2026-01-04T01:00:00Z', null);
      const states = await ledger.latestRunStates(['shop-1', 'shop-2', 'shop-3']);
      expect(Object.fromEntries(states)).toEqual({ 'shop-1': 'running', 'shop-2': 'success' });
    });
  });
}
