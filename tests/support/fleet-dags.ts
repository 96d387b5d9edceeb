import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { TaskContext } from '../../activities/task-context.ts';
import { createDagFactory } from '../../dag/builder.ts';
import { manifest, output, silverSlice, writes } from '../ports/ledger/fixture.ts';

/** DAGs for worker processes started from the command line. */
const dag = createDagFactory<TaskContext>();
const pool = new pg.Pool({ connectionString: process.env['INGOT_LEDGER_URL']! });

/** A line for every time a body really began: `fleet.calls`, made by the test. */
async function note(task: string, { run, attempt }: TaskContext): Promise<void> {
  await pool.query('insert into fleet.calls (run_id, task, attempt, worker) values ($1, $2, $3, $4)', [
    run.id,
    task,
    attempt,
    process.pid,
  ]);
}

const rolling = dag(
  'rolling',
  { schedule: '@daily', maxActiveRuns: 1000, defaults: { retries: 0 } },
  ({ task, map }) => {
    const quick = map('quick', [1, 2, 3], async (each: number, context: TaskContext) => {
      await note('quick', context);
      await delay(100);
      return each;
    });
    const slow = task('slow', async (_: undefined, context: TaskContext) => {
      await note('slow', context);
      await delay(4000, undefined, { signal: context.signal });
    });
    task('load', async (_: undefined, context: TaskContext) => {
      await note('load', context);
      const slice = silverSlice(context.interval.start.slice(0, 10), 'a');
      const { snapshot } = await context.ports.ledger.snapshot([writes(slice)]);
      await delay(200, undefined, { signal: context.signal });
      context.stage(manifest(snapshot, [output(slice)]));
    }).after(quick, slow);
  },
);

const routed = dag('routed', { defaults: { retries: 0 } }, ({ task }) => {
  const plain = task('plain', () => process.pid);
  task('special', () => process.pid, undefined, { queue: 'special' }).after(plain);
});

/** Goes on for minutes when it begins for the first time, unless it listens to being told to stop. */
function lasting(id: string, listens: boolean) {
  return dag(id, { defaults: { retries: 0 } }, ({ task }) => {
    task('only', async (_: undefined, context: TaskContext) => {
      await note('only', context);
      const { rows } = await pool.query('select 1 from fleet.calls where run_id = $1', [context.run.id]);
      if (rows.length > 1) return;
      await delay(300_000, undefined, listens ? { signal: context.signal } : {});
    });
  });
}

export const dags = [rolling, routed, lasting('fleet_listening', true), lasting('fleet_deaf', false)];
