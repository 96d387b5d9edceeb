import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { dag, notify } from '../../activities/index.ts';
import { TerminalError } from '../../ports/errors.ts';
import { openHarness } from './harness.ts';
import type { Harness } from './harness.ts';

const told = notify({ topic: 'shop', severity: 'info', title: 'shop {date} done', message: 'All is well.' });
const alarm = notify({
  topic: 'shop-alerts',
  severity: 'error',
  title: 'shop {date} failed',
  message: 'Somebody should look.',
});

function working(fails: boolean) {
  return dag(
    'working',
    { schedule: '@daily', params: { path: { type: 'string', default: 'here' } }, defaults: { retries: 0 } },
    ({ task }) => {
      const work = task('work', () => {
        if (fails) throw new TerminalError({ expected: 'oil', found: 'sand', remedy: 'Clean it.' });
        return { rows: 3 };
      });
      task('tell', told, { about: work });
      task('alarm', alarm, {}, { triggerRule: 'one_failed' }).after(work);
    },
  );
}

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness({ postgresUrl: inject('postgresUrl') });
});
afterEach(() => harness[Symbol.asyncDispose]());

test('success is told with the arguments of the run and what the task gave', async () => {
  const { runId } = await harness.run(working(false), '2026-01-05', { path: 'there' });
  expect(harness.notifications).toEqual([
    {
      key: `${runId}/tell`,
      topic: 'shop',
      severity: 'info',
      title: 'shop 2026-01-05 done',
      message: 'All is well.',
      context: {
        dag: 'working',
        task: 'tell',
        run: runId,
        workflow: 'working-2026-01-06T00:00:00Z',
        type: 'manual',
        interval: {
          start: '2026-01-05T00:00:00Z',
          end: '2026-01-06T00:00:00Z',
          logicalDate: '2026-01-05T00:00:00Z',
        },
        params: { path: 'there' },
        about: { rows: 3 },
        failed: [],
      },
    },
  ]);
});

test('a failure is told with the task, the attempt and the error, and the run still fails', async () => {
  const { outcome } = await harness.run(working(true), '2026-01-05');
  expect(outcome).toBe('failed');
  expect(harness.notifications).toMatchObject([
    {
      topic: 'shop-alerts',
      severity: 'error',
      message: 'Somebody should look.\nwork: expected oil; found sand. Clean it.',
      context: {
        params: { path: 'here' },
        failed: [{ task: 'work', attempt: 1, error: 'expected oil; found sand. Clean it.' }],
      },
    },
  ]);
});
