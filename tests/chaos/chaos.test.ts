import { expect, test } from 'vitest';
import { openRealStack } from './real-stack.ts';
import { ChaosRounds } from './round.ts';

/** The long form is `npm run chaos`. */
test(
  'worker, Temporal and Postgres are killed with -9 while neighbouring days run, and the tables are those of the oracle',
  { timeout: 400_000 },
  async () => {
    await using stack = await openRealStack({ env: { INGOT_LOG_LEVEL: 'error' } });
    const rounds = new ChaosRounds(stack, 'npm test', 400);
    const { kills, problems, runs } = await rounds.next({ count: 3, withinMs: 900 });
    expect(problems).toEqual([]);
    expect(runs).toBe(6);
    expect(kills).toEqual({ Worker: 1, Temporal: 1, Postgres: 1 });
  },
);
