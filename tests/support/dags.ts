import { setTimeout as delay } from 'node:timers/promises';
import { dag } from '../../activities/index.ts';
import { TerminalError } from '../../ports/errors.ts';

const quick = dag(
  'quick',
  { startDate: '2026-01-01', params: { times: { type: 'integer', default: 1 } } },
  ({ task, params }) => {
    const one = task('one', (input: { times: number }) => ({ n: input.times }), { times: params.times });
    task('two', (input: { n: number }) => input.n * 2, one);
  },
);

const failing = dag('failing', { startDate: '2026-01-01' }, ({ task }) => {
  task('break', () => {
    throw new TerminalError({ expected: 'a sound input', found: 'a rotten one', remedy: 'Give another.' });
  });
});

/** Goes on until it is told to stop. */
const endless = dag('endless', { startDate: '2026-01-01' }, ({ task }) => {
  task(
    'wait',
    async (_input: undefined, context) => {
      for (;;) {
        context.beat();
        await delay(100, undefined, { signal: context.signal });
      }
    },
    undefined,
    { heartbeat: '5s' },
  );
});

export const dags = [quick, failing, endless];
