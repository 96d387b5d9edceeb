import { dag } from '../../activities/index.ts';

const dayMs = 86_400_000;
const threeDaysAgo = new Date(Math.floor(Date.now() / dayMs) * dayMs - 3 * dayMs).toISOString().slice(0, 10);

const nightly = dag(
  'nightly',
  {
    description: 'Every night, from three days ago on',
    schedule: '@daily',
    startDate: threeDaysAgo,
    catchup: true,
    params: { times: { type: 'integer', default: 1 } },
  },
  ({ task, params }) => {
    task('count', (input: { times: number }) => input.times, { times: params.times });
  },
);

const yearly = dag('yearly', { schedule: '@yearly', timezone: 'Europe/Berlin' }, ({ task }) => {
  task('count', () => 1);
});

/** Holds its turn until it is cancelled. */
const narrow = dag('narrow', { maxActiveRuns: 1 }, ({ task, wait }) => {
  const held = wait('hold', { for: '1h' });
  task('count', () => 1).after(held);
});

export const dags = process.env['INGOT_TEST_WITHOUT_YEARLY'] ? [nightly, narrow] : [nightly, yearly, narrow];
