import type { Ports, TaskContext } from '../../activities/task-context.ts';
import type { DagDefinition } from '../../dag/builder.ts';
import type { RunRequest } from '../../ports/run-steps.ts';
import { cancelRun, type RunHandle } from '../../workers/client.ts';
import { keepPools } from '../../workers/pool-keeper.ts';
import { changeOpenRun } from '../../workers/operate.ts';
import {
  bronze,
  bronzeDay,
  manifest,
  newRun,
  output,
  publishNow,
  rates,
  reads,
  silver,
  silverSlice,
  writes,
} from '../ports/ledger/fixture.ts';
import { eventually } from '../support/processes.ts';
import { backgroundCluster } from '../support/background-cluster.ts';
import { dag } from './parts.ts';
import type { Bench, StartedWorker } from './test-bench.ts';

const one = (): number => 1;
const soon = { initialMs: 10, factor: 1 };

/** A DAG whose history has something of its own, and what happens to its run while it goes on. */
export interface Shape {
  readonly name: string;
  dags(bench: Bench): readonly DagDefinition<TaskContext>[];
  readonly ends: 'success' | 'failed' | 'cancelled';
  readonly ports?: Partial<Ports>;
  readonly continueAfter?: RunRequest['continueAfter'];
  meanwhile?(bench: Bench, run: RunHandle, worker: StartedWorker): Promise<void>;
}

function simple(
  name: string,
  definition: DagDefinition<TaskContext>,
  ends: Shape['ends'] = 'success',
): Shape {
  return { name, dags: () => [definition], ends };
}

const chain = simple(
  'chain',
  dag('chain', {}, ({ task }) => {
    let last = task('t0', one);
    for (let index = 1; index < 8; index += 1)
      last = task(`t${index}`, (before: number) => before + 1, last.output);
  }),
);

const fanOut = simple(
  'fan-out',
  dag('fan-out', {}, ({ task }) => {
    const first = task('first', one);
    const all = Array.from({ length: 120 }, (_, index) => task(`t${index}`, one).after(first));
    task('last', one).after(...all);
  }),
);

const retry = simple(
  'retry',
  dag('retry', {}, ({ task }) => {
    const third = task(
      'third-time',
      (_: undefined, { attempt }: TaskContext) => {
        if (attempt < 3) throw new Error('not yet');
      },
      undefined,
      { retries: { limit: 2, ...soon } },
    );
    task('slow', () => new Promise((resolve) => setTimeout(resolve, 1500))).after(third);
  }),
);

const failed = simple(
  'failed',
  dag('failed', {}, ({ task }) => {
    const broken = task('broken', () => Promise.reject(new Error('no')), undefined, { retries: 0 });
    const alarm = task('alarm', one, undefined, { triggerRule: 'one_failed' }).after(broken);
    task('after', one).after(broken);
    task('finally', one, undefined, { triggerRule: 'all_done' }).after(broken, alarm);
  }),
  'failed',
);

const map = simple(
  'map',
  dag('map', {}, ({ task, map: each }) => {
    const list = task('list', () => [3, 1, 2]);
    const doubled = each('double', list, (item: number) => item * 2);
    task('sum', (all: readonly number[]) => all.reduce((a, b) => a + b, 0), doubled);
  }),
);

const branch = simple(
  'branch',
  dag('branch', {}, ({ task, branch: choose, shortCircuit }) => {
    const choice = choose('choose', ['left', 'right'], () => 'left' as const);
    const left = task('left', one).after(choice);
    const right = task('right', one).after(choice);
    task('join', one, undefined, { triggerRule: 'none_failed_min_one_success' }).after(left, right);
    const stop = shortCircuit('stop', () => false);
    task('never', one).after(stop);
  }),
);

const waits = simple(
  'waits',
  dag('waits', {}, ({ sensor, wait, task }) => {
    let pokes = 0;
    const ready = sensor('ready', () => ({ done: (pokes += 1) > 2, value: pokes }), undefined, {
      pokeEvery: '1s',
      timeout: '1m',
    });
    const pause = wait('pause', { for: '1s' }).after(ready);
    task('after', one).after(pause);
  }),
);

const conflict: Shape = {
  name: 'conflict',
  ends: 'success',
  dags: (bench) => [
    dag('conflict', {}, ({ task }) => {
      const load = task('load', async (_: undefined, { ports, stage, attempt }: TaskContext) => {
        await ports.ledger.registerTables([bronze, silver, rates]);
        const [from, to] = [bronzeDay('2026-01-01'), silverSlice('2026-01-01', 'a')];
        const { snapshot } = await ports.ledger.snapshot([reads(from), writes(to)]);
        stage(manifest(snapshot, [output(to)]));
        if (attempt > 1) return;
        const other = newRun();
        await bench.ledger.beginRun(other);
        await publishNow(bench.ledger, other.runId, 'ingest', [from]);
      });
      task('after', one).after(load);
    }),
  ],
};

/** Publishes a table and emits a name that DAGs wait for: the run wakes their feeds. */
const awaited: Shape = {
  name: 'awaited',
  ends: 'success',
  dags: () => [
    dag('awaited', {}, ({ task }) => {
      const load = task('load', async (_: undefined, { ports, stage }: TaskContext) => {
        await ports.ledger.registerTables([bronze]);
        await ports.ledger.followAssets('eater', [bronze.name, 'awaited.done']);
        const to = bronzeDay('2026-01-01');
        const { snapshot } = await ports.ledger.snapshot([writes(to)]);
        stage(manifest(snapshot, [output(to)]));
      });
      const done = task('done', one, undefined, { outlets: ['awaited.done'] }).after(load);
      // Longer than the outbox waits: the event goes out before the end of the run.
      task('after', () => new Promise((resolve) => setTimeout(resolve, 4000, 1))).after(done);
    }),
  ],
};

const cancelled: Shape = {
  name: 'cancelled',
  ends: 'cancelled',
  dags: () => [
    dag('cancelled', {}, ({ task }) => {
      const work = task(
        'work',
        (_: undefined, { signal }: TaskContext) =>
          new Promise<void>((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('interrupted')));
          }),
      );
      task('after', one).after(work);
      task('retried', () => Promise.reject(new Error('no')), undefined, {
        retries: { limit: 1, initial: '1h' },
      });
    }),
  ],
  meanwhile: async (bench, run) => {
    await eventually('both tasks to be where they should', async () => {
      const states = await bench.states(run);
      return (states['work'] === 'running' && states['retried'] === 'up_for_retry') || null;
    });
    await cancelRun(bench.client, run);
  },
};

const unheardOf: Shape = {
  name: 'unheard-of',
  ends: 'success',
  dags: () => [],
  meanwhile: async (bench, _run, ignorant) => {
    await bench.work([dag('unheard-of', {}, ({ task }) => void task('only', one))]);
    await ignorant.stop();
  },
};

const pooled: Shape = {
  name: 'pooled',
  ends: 'success',
  dags: () => [
    dag('pooled', { schedule: '@daily', startDate: '2026-01-01', dependsOnPast: true }, ({ task, map }) => {
      const first = task('first', one, undefined, { pool: 'narrow', priority: 1 });
      map('each', [1, 2, 3], one, undefined, { pool: 'narrow' }).after(first);
    }),
  ],
  // Nobody can be granted anything before there is such a pool: one grant comes by signal.
  meanwhile: async (bench, run) => {
    await eventually('the wait for the pool', async () =>
      (await bench.states(run))['first'] === 'waiting' ? true : null,
    );
    await bench.ledger.setPool('narrow', 2);
    await keepPools(bench);
  },
};

const alerted: Shape = {
  name: 'alerted',
  ends: 'failed',
  ports: { notifier: { notify: async () => {} } },
  dags: () => [
    dag('alerted', { alerts: { onFailure: true, deadline: { after: '1s' } } }, ({ wait, task }) => {
      const pause = wait('pause', { for: '2s' });
      const alerts = { onRetry: true, onFailure: true, deadline: { after: '1h', from: 'started' } } as const;
      task('broken', () => Promise.reject(new Error('no')), undefined, {
        retries: { limit: 1, ...soon },
        alerts,
      }).after(pause);
    }),
  ],
};

const held: Shape = {
  name: 'held',
  ends: 'success',
  dags: () => [
    dag('held', { onFailure: 'hold' }, ({ task, approval }) => {
      const broken = task(
        'broken',
        (_: undefined, { attempt }: TaskContext) => {
          if (attempt === 1) throw new Error('no');
        },
        undefined,
        { retries: 0 },
      );
      task('after', one).after(approval('go', { message: 'Go on?' }).after(broken));
    }),
  ],
  meanwhile: async (bench, run) => {
    const by = 'ann';
    await eventually('the run to be held', async () => (await bench.ledger.run(run.runId))?.held || null);
    const nothing = { tasks: [], downstream: false, upstream: false, onlyFailed: false };
    await changeOpenRun(bench.client, run, { type: 'tasks_cleared', by, ...nothing });
    await eventually('the question', async () => (await bench.states(run))['go'] === 'waiting' || null);
    const answer = { key: 'go', answer: 'approved', note: null } as const;
    await changeOpenRun(bench.client, run, { type: 'approval_answered', by, ...answer });
  },
};

/** What goes on in the execution after the one that is recorded has nothing of its own. */
const continued: Shape = {
  name: 'continued',
  ends: 'success',
  continueAfter: { events: 60 },
  dags: () => [
    dag('continued', { maxActiveTasks: 4 }, ({ map, sensor, task }) => {
      let pokes = 0;
      const ready = sensor('ready', () => ({ done: (pokes += 1) > 2 }), undefined, {
        pokeEvery: '2s',
        timeout: '1m',
      });
      const each = map(
        'each',
        Array.from({ length: 40 }, (_, n) => n),
        (n: number) => n,
      );
      task('after', one).after(each, ready);
    }),
  ],
};

const tornDown: Shape = {
  name: 'torn-down',
  ends: 'cancelled',
  dags: () => [
    dag('torn-down', {}, ({ setup, task, teardown }) => {
      const provided = setup('provide', one);
      const work = task(
        'work',
        (_: undefined, { signal }: TaskContext) =>
          new Promise<void>((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('interrupted')));
          }),
      ).after(provided);
      teardown('clear-away', one).after(work, provided);
    }),
  ],
  meanwhile: async (bench, run) => {
    await eventually(
      'the work to begin',
      async () => (await bench.states(run))['work'] === 'running' || null,
    );
    await cancelRun(bench.client, run);
  },
};

const gate = Promise.withResolvers<void>();
const empty = { outputs: {}, measures: {}, engine: 'none', bytesScanned: 0, durationMs: 0 };
const farAway = backgroundCluster({ run: () => Promise.resolve(empty) }, () => gate.promise);
const nothing = { inputs: [], inline: [], steps: [], outputs: [], measures: [] };

const elsewhere: Shape = {
  name: 'elsewhere',
  ends: 'success',
  ports: { cluster: { cluster: farAway, preference: 'auto', fromBytes: 1 } },
  dags: () => [
    dag('elsewhere', {}, ({ task }) => {
      const waits = task('waits', async (_: undefined, { dagId, taskId, run, awaitJob }: TaskContext) => {
        const origin = { dagId, taskId, runId: run.id, workflowId: run.workflowId, timeoutMs: 60_000 };
        await awaitJob(await farAway.submit({ id: run.id, ...nothing }, origin));
      });
      task('after', one).after(waits);
    }),
  ],
  meanwhile: async (bench, { runId, workflowId }) => {
    const handle = bench.client.workflow.getHandle(workflowId, runId);
    await eventually('the wait for the job', async () => {
      const pending = (await handle.describe()).raw.pendingActivities ?? [];
      return pending.some(({ activityType }) => activityType?.name === 'ingot.lookAtJob') || null;
    });
    gate.resolve();
    await handle.signal('ingot.jobEnded', farAway.external(runId));
  },
};

export const shapes: readonly Shape[] = [
  chain,
  fanOut,
  retry,
  failed,
  map,
  branch,
  waits,
  conflict,
  awaited,
  cancelled,
  unheardOf,
  pooled,
  alerted,
  held,
  continued,
  tornDown,
  elsewhere,
];

/** Runs a shape to its end. */
export async function runShape(bench: Bench, shape: Shape): Promise<RunHandle> {
  const { name, ends } = shape;
  const worker = await bench.work(shape.dags(bench), shape.ports);
  const run = await bench.start(
    name,
    shape.continueAfter === undefined ? {} : { continueAfter: shape.continueAfter },
  );
  await shape.meanwhile?.(bench, run, worker);
  const { state, message } = await bench.result(run);
  if (state !== ends) throw new Error(`${name} was to end as ${ends}, found ${state}: ${message}`);
  return run;
}
