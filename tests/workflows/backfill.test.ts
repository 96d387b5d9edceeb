import { expect, test } from 'vitest';
import { createBackfill } from '../../workers/backfills.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from './harness.ts';

const three = dag('three', { schedule: '@daily' }, ({ task }) => {
  const a = task('a', () => 1);
  const b = task('b', () => 2).after(a);
  task('c', () => 3).after(b);
});
void dag;

async function ended(bench: Bench, backfillId: string) {
  return eventually('the end of the backfill', async () => {
    const record = await bench.ledger.backfill(backfillId);
    return record?.endedAt == null ? null : record;
  });
}

test('every interval of the range gets a run', async () => {
  await using bench = await openBench();
  await bench.work([three]);
  const created = await createBackfill(bench.client, {
    taskQueue: bench.taskQueue,
    dagId: 'three',
    timetable: { schedule: { cron: '@daily' }, timezone: 'UTC' },
    from: '2026-01-01T00:00:00Z',
    to: '2026-01-10T00:00:00Z',
    backwards: false,
    reprocess: 'none',
    maxActiveRuns: 3,
    params: {},
    runsPerExecution: 4,
  });
  const record = await ended(bench, created.backfillId);
  expect(record).toMatchObject({ state: 'success', counts: { success: 10, total: 10, remaining: 0 } });
  const runs = await bench.ledger.runs({ dagId: 'three' });
  expect(runs).toHaveLength(10);
});
