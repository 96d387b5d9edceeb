import { createBackfill, type BackfillHandle, type NewBackfillRequest } from '../../workers/backfills.ts';
import type { BackfillRecord } from '../../ports/backfill.ts';
import { eventually } from '../support/processes.ts';
import type { Bench } from './harness.ts';

const dayMs = 86_400_000;

/** The `index`th day of 2026, from 1. */
export function day(index: number): { readonly start: string; readonly end: string } {
  const at = (days: number): string =>
    `${new Date(Date.UTC(2026, 0, days)).toISOString().slice(0, 10)}T00:00:00Z`;
  return { start: at(index), end: at(index + 1) };
}

export function dayOf(start: string): number {
  return (Date.parse(start) - Date.UTC(2026, 0, 1)) / dayMs + 1;
}

/** A backfill of the first `days` days of 2026. */
export function create(
  bench: Bench,
  dagId: string,
  days: number,
  options: Partial<NewBackfillRequest> = {},
): Promise<BackfillHandle & { readonly joined: boolean }> {
  return createBackfill(bench.client, {
    taskQueue: bench.taskQueue,
    dagId,
    timetable: { schedule: { cron: '@daily' }, timezone: 'UTC' },
    from: day(1).start,
    to: day(days).start,
    backwards: false,
    reprocess: 'none',
    maxActiveRuns: 3,
    params: {},
    ...options,
  });
}

export function ended(bench: Bench, { backfillId }: BackfillHandle): Promise<BackfillRecord> {
  return until(bench, backfillId, 'its end', (record) => record.endedAt !== null);
}

export function until(
  bench: Bench,
  backfillId: string,
  what: string,
  holds: (record: BackfillRecord) => boolean,
): Promise<BackfillRecord> {
  return eventually(`${what} of backfill ${backfillId}`, async () => {
    const record = await bench.ledger.backfill(backfillId);
    return record !== null && holds(record) ? record : null;
  });
}

/** State of each interval by day of the year. */
export async function intervals(
  bench: Bench,
  { backfillId }: BackfillHandle,
): Promise<Record<number, string>> {
  const all = await bench.ledger.backfillIntervals(backfillId);
  return Object.fromEntries(all.map(({ start, state }) => [dayOf(start), state]));
}

/** How often each day was run, by day of the year. */
export async function runsPerDay(bench: Bench, dagId: string): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const run of await bench.ledger.runs({ dagId, limit: 10_000 })) {
    const index = dayOf(run.intervalStart);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}
