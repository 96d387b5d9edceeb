import fc from 'fast-check';
import type { Json } from '../../dag/json.ts';
import type { Plan, PlanTask } from '../../dag/plan.ts';
import type { End, NaiveTask, Rule } from './naive-model.ts';

/** How an attempt goes. The last entry of a script ends the instance, the ones before it do not. */
export type Turn = 'success' | 'terminal' | 'retryable' | 'conflict' | 'unknown' | 'poke';

export interface RandomRun {
  readonly plan: Plan;
  readonly naive: readonly NaiveTask[];
  /** Turns of each instance by task id; a mapped task has one list per element. */
  readonly scripts: ReadonlyMap<string, readonly (readonly Turn[])[]>;
  /** Output of each task that is not a sensor. */
  readonly outputs: ReadonlyMap<string, Json>;
}

const rules: readonly Rule[] = [
  'all_success',
  'all_success',
  'all_failed',
  'all_done',
  'all_done_min_one_success',
  'all_skipped',
  'one_failed',
  'one_success',
  'one_done',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'always',
];

interface Draw {
  readonly kind:
    | 'task'
    | 'setup'
    | 'teardown'
    | 'map'
    | 'branch'
    | 'short_circuit'
    | 'sensor'
    | 'late-sensor'
    | 'wait';
  readonly edges: readonly boolean[];
  readonly rule: Rule;
  readonly limit: number;
  readonly handles: boolean;
  readonly truthy: boolean;
  readonly softFail: boolean;
  readonly pooled: boolean;
  readonly picks: readonly boolean[];
  readonly instances: readonly {
    readonly fails: boolean;
    readonly failures: number;
    readonly extras: readonly Turn[];
  }[];
}

const size = 9;
const draw: fc.Arbitrary<Draw> = fc.record({
  kind: fc.constantFrom(
    'task',
    'task',
    'task',
    'setup',
    'setup',
    'teardown',
    'teardown',
    'map',
    'branch',
    'short_circuit',
    'sensor',
    'late-sensor',
    'wait',
  ),
  edges: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
  rule: fc.constantFrom(...rules),
  limit: fc.nat(2),
  handles: fc.boolean(),
  truthy: fc.boolean(),
  softFail: fc.boolean(),
  pooled: fc.boolean(),
  picks: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
  instances: fc.array(
    fc.record({
      fails: fc.boolean(),
      failures: fc.nat(3),
      extras: fc.array(fc.constantFrom<Turn>('conflict', 'unknown'), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** A random plan with everything that will happen in its run, and the same told to the naive model. */
export const randomRun: fc.Arbitrary<RandomRun> = fc
  .tuple(fc.array(draw, { minLength: 1, maxLength: size }), fc.boolean())
  .map(([draws, dependsOnPast]) => {
    const id = (index: number): string => `t${index}`;
    const upstream = draws.map((each, index) =>
      draws.flatMap((_, from) => (from < index && each.edges[from] ? [id(from)] : [])),
    );
    const below = (index: number): string[] =>
      draws.flatMap((_, to) => (upstream[to]!.includes(id(index)) ? [id(to)] : []));
    const isTeardown = (index: number): boolean =>
      draws[index]!.kind === 'teardown' &&
      draws.some((each, from) => each.kind === 'setup' && upstream[index]!.includes(id(from)));
    const roleOf = (index: number): NaiveTask['role'] =>
      draws[index]!.kind === 'setup' ? 'setup' : isTeardown(index) ? 'teardown' : null;
    const parts = draws.map((each, index) => {
      const scripts = (each.kind === 'map' ? each.instances.slice(1) : each.instances.slice(0, 1)).map(
        (part) => script(each, part),
      );
      const follows = each.kind === 'branch' ? below(index).filter((_, n) => each.picks[n]) : null;
      return { each, follows, scripts, ifRun: endIfRun(each, scripts) };
    });
    const tasks = parts.map(({ each }, index) => planTask(id(index), upstream[index]!, each, roleOf(index)));
    return {
      plan: { ...header, ...(dependsOnPast ? { dependsOnPast: true as const } : {}), tasks },
      naive: parts.map(({ each, follows, ifRun }, index) => ({
        id: id(index),
        upstream: upstream[index]!,
        rule: each.rule,
        ifRun,
        follows,
        cuts: each.kind === 'short_circuit' && !each.truthy,
        handles: handles(each) && !isTeardown(index),
        role: roleOf(index),
        failsRun: each.truthy,
      })),
      scripts: new Map(parts.map(({ scripts }, index) => [id(index), scripts])),
      outputs: new Map(
        parts.map(({ each, follows }, index) => [
          id(index),
          each.kind === 'short_circuit' ? each.truthy : each.kind === 'branch' ? follows : index,
        ]),
      ),
    };
  });

const header = {
  format: 1,
  dagId: 'random',
  description: null,
  schedule: null,
  timezone: 'UTC',
  startAt: null,
  endAt: null,
  catchup: false,
  maxActiveRuns: 1,
  params: {},
  tags: [],
  owners: [],
} as const;

function handles({ handles: declared, rule }: Draw): boolean {
  return declared && (rule === 'one_failed' || rule === 'all_failed');
}

function planTask(id: string, upstream: readonly string[], each: Draw, role: NaiveTask['role']): PlanTask {
  const kind = ['map', 'setup', 'teardown'].includes(each.kind)
    ? 'task'
    : each.kind === 'late-sensor'
      ? 'sensor'
      : (each.kind as PlanTask['kind']);
  return {
    id,
    kind,
    upstream,
    triggerRule: role === 'teardown' ? 'all_done' : each.rule,
    ...(role === null ? {} : { role }),
    ...(role === 'teardown' && each.truthy ? { onFailureFailRun: true as const } : {}),
    input: null,
    mapOver: each.kind === 'map' ? each.instances.slice(1).map((_, n) => n) : null,
    retries: { limit: each.limit, initialMs: 10, factor: 2, maxMs: 100, rules: [] },
    timeoutMs: 1000,
    heartbeatMs: null,
    sensor:
      kind === 'sensor'
        ? { pokeMs: 5, timeoutMs: each.kind === 'sensor' ? 1e14 : 12, softFail: each.softFail }
        : null,
    wait: kind === 'wait' ? { forMs: 50 } : null,
    ...(each.pooled && kind !== 'wait' ? { pool: { name: 'p', slots: 1, priority: 0 } } : {}),
    ...(handles(each) && role !== 'teardown' ? { handlesFailure: true as const } : {}),
    summary: null,
    facts: {},
  };
}

function script(each: Draw, part: Draw['instances'][number]): readonly Turn[] {
  if (each.kind === 'wait') return [];
  if (each.kind === 'late-sensor') return Array.from({ length: 20 }, () => 'poke');
  const retried = Math.min(part.failures, each.limit);
  const pokes: Turn[] = each.kind === 'sensor' ? ['poke', 'poke'] : [];
  const before: Turn[] = [
    ...part.extras,
    ...Array.from({ length: retried }, (): Turn => 'retryable'),
    ...pokes,
  ];
  // One retryable failure more than the budget allows ends it as surely as a terminal one.
  return [...before, part.fails ? (retried === each.limit ? 'retryable' : 'terminal') : 'success'];
}

function endIfRun(each: Draw, scripts: readonly (readonly Turn[])[]): Exclude<End, 'upstream_failed'> {
  if (each.kind === 'wait') return 'success';
  if (each.kind === 'late-sensor') return each.softFail ? 'skipped' : 'failed';
  if (scripts.length === 0) return 'skipped';
  return scripts.every((turns) => turns.at(-1) === 'success') ? 'success' : 'failed';
}
