import { dag } from '../../activities/index.ts';

/** DAGs of a worker that is told where to send mail. */
export const dags = [
  dag('mailed', { startDate: '2026-01-01', alerts: { topic: 'oncall', onFailure: true } }, ({ task }) => {
    task(
      'broken',
      () => {
        throw new Error('the vault is empty');
      },
      undefined,
      { retries: 0 },
    );
  }),
];
