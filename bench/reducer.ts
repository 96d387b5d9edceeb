import { parseArgs } from 'node:util';
import { packProgress } from '../dag/carried.ts';
import type { Plan, PlanTask } from '../dag/plan.ts';
import { OpenRun, startRun } from '../dag/reducer.ts';
import type { RunCommand } from '../dag/reducer.ts';

/** What a step of the reducer costs in runs of two sizes: their ratio says whether it depends on the size of the run. */
const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '10000' }, items: { type: 'string', default: '20000' } },
});
const facts = {
  run: { id: 'r', type: 'manual' },
  interval: {
    start: '2026-01-01T00:00:00Z',
    end: '2026-01-02T00:00:00Z',
    logicalDate: '2026-01-01T00:00:00Z',
  },
  params: {},
};

function planOf(tasks: readonly (Partial<PlanTask> & { readonly id: string })[]): Plan {
  const retries = { limit: 2, initialMs: 5000, factor: 2, maxMs: 300_000, rules: [] };
  const rest = {
    kind: 'task',
    triggerRule: 'all_success',
    input: null,
    retries,
    timeoutMs: 3_600_000,
  } as const;
  const none = { mapOver: null, heartbeatMs: null, sensor: null, wait: null, summary: null, facts: {} };
  const header = { format: 1, dagId: 'bench', description: null, schedule: null, timezone: 'UTC' } as const;
  const settings = {
    startAt: null,
    endAt: null,
    catchup: false,
    maxActiveRuns: 1,
    params: {},
    tags: [],
    owners: [],
  };
  return {
    ...header,
    ...settings,
    tasks: tasks.map((task) => ({ ...rest, ...none, upstream: [], ...task })),
  };
}

const width = 100;
const shapes: Readonly<Record<string, (size: number) => Plan>> = {
  chain: (size) =>
    planOf(Array.from({ length: size }, (_, n) => ({ id: `t${n}`, upstream: n === 0 ? [] : [`t${n - 1}`] }))),
  'fan-out and in': (size) => {
    const wide = Array.from({ length: size - 2 }, (_, n) => ({ id: `t${n}`, upstream: ['first'] }));
    return planOf([{ id: 'first' }, ...wide, { id: 'last', upstream: wide.map(({ id }) => id) }]);
  },
  layers: (size) =>
    planOf(
      Array.from({ length: size }, (_, n) => {
        const above = Math.floor(n / width) * width - width;
        return {
          id: `t${n}`,
          upstream: above < 0 ? [] : [0, 1, 2].map((k) => `t${above + ((n + k) % width)}`),
        };
      }),
    ),
  map: (size) =>
    planOf([{ id: 'each', mapOver: Array.from({ length: size }, (_, n) => n), maxMapLength: size }]),
};

/** Milliseconds from the start of a run to its end, every attempt succeeding at once. */
function walk(plan: Plan): { readonly ms: number; readonly steps: number; readonly carriedKb: number } {
  const begun = performance.now();
  const run = new OpenRun(plan, startRun(plan, facts));
  const open: RunCommand[] = [...run.tell({ type: 'run_started', at: 0 }).commands];
  let steps = 1;
  for (let next = 0; next < open.length; next += 1) {
    const command = open[next]!;
    if (command.type !== 'start_attempt') continue;
    const { key, attempt } = command;
    open.push(
      ...run.tell({ type: 'attempt_succeeded', key, attempt, output: null, at: 1_780_000_000_000 + steps })
        .commands,
    );
    steps += 1;
  }
  const ms = performance.now() - begun;
  if (run.progress.outcome !== 'success') throw new Error('the run did not end');
  return { ms, steps, carriedKb: packProgress(run.progress).length / 1024 };
}

for (const [name, make] of Object.entries(shapes)) {
  const size = Number(name === 'map' ? values.items : values.tasks);
  walk(make(size / 10));
  const small = walk(make(size / 10));
  const large = walk(make(size));
  const [few, many] = [small.ms / small.steps, large.ms / large.steps];
  console.log(
    `${`${name} of ${size}`.padEnd(24)} ${(1000 * many).toFixed(0).padStart(4)} µs/step, a tenth of the size ${(1000 * few).toFixed(0).padStart(4)} µs/step, ratio ${(many / few).toFixed(2)}, ${large.ms.toFixed(0)} ms in all, carried on as ${large.carriedKb.toFixed(0)} KiB`,
  );
}
