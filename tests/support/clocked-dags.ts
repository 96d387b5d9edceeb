import { dag } from '../../activities/index.ts';

/** Schedules and deadlines, for a worker whose clock is wrong. */
export const dags = [
  dag('clocked', { schedule: { every: '1s' }, maxActiveRuns: 50 }, ({ task }) => {
    task('work', () => 1);
  }),
  dag(
    'punctual',
    { startDate: '2026-01-01', alerts: { deadline: { after: '1h', from: 'queued' } } },
    ({ task, wait }) => {
      // When its worker takes it to be, as an output.
      task('say', () => Date.now()).after(wait('pause', { for: '1s' }));
    },
  ),
  dag(
    'tardy',
    { startDate: '2026-01-01', alerts: { deadline: { after: '1s', from: 'queued' } } },
    ({ wait }) => {
      wait('pause', { for: '3s' });
    },
  ),
];
