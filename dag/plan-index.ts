import type { Plan, PlanTask } from './plan.ts';

/** What is derived from a plan once and looked up at every step. */
export interface PlanIndex {
  readonly tasks: ReadonlyMap<string, PlanTask>;
  /** Direct downstream ids, sorted. */
  readonly downstream: ReadonlyMap<string, readonly string[]>;
  /** Short circuits anywhere above a task, and branches directly above it: what can still forbid it to run. */
  readonly gates: ReadonlyMap<string, readonly string[]>;
  /** Setups that must have succeeded for a task to run. */
  readonly setups: ReadonlyMap<string, readonly string[]>;
  readonly teardowns: readonly { readonly id: string; readonly above: ReadonlySet<string> }[];
}

const indexes = new WeakMap<Plan, PlanIndex>();

export function planIndex(plan: Plan): PlanIndex {
  const known = indexes.get(plan);
  if (known !== undefined) return known;
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const downstream = new Map<string, string[]>(plan.tasks.map((task) => [task.id, []]));
  for (const task of plan.tasks)
    for (const upstream of task.upstream) downstream.get(upstream)?.push(task.id);
  const upstream = new Map(plan.tasks.map((task) => [task.id, task.upstream]));
  const index = {
    tasks,
    downstream,
    gates: gatesOf(tasks, downstream),
    setups: scopesOf(tasks, downstream),
    teardowns: plan.tasks
      .filter(({ role }) => role === 'teardown')
      .map(({ id }) => ({ id, above: descendants(upstream, [id]) })),
  };
  indexes.set(plan, index);
  return index;
}

function gatesOf(
  tasks: ReadonlyMap<string, PlanTask>,
  downstream: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const gates = new Map<string, Set<string>>();
  const add = (id: string, gate: string): void => {
    const known = gates.get(id);
    if (known === undefined) gates.set(id, new Set([gate]));
    else known.add(gate);
  };
  for (const { id, kind } of tasks.values()) {
    if (kind === 'short_circuit') for (const below of descendants(downstream, [id])) add(below, id);
    if (kind === 'branch') for (const below of downstream.get(id) ?? []) add(below, id);
  }
  return new Map([...gates].map(([id, each]) => [id, [...each]]));
}

/** By task, the setups it depends on: those above it of whose teardowns one is below it, or that have no teardown. */
function scopesOf(
  tasks: ReadonlyMap<string, PlanTask>,
  downstream: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const scopes = new Map<string, string[]>();
  const upstream = new Map([...tasks.values()].map((task) => [task.id, task.upstream]));
  for (const { id, role } of tasks.values()) {
    if (role !== 'setup') continue;
    const teardowns = downstream.get(id)!.filter((each) => tasks.get(each)!.role === 'teardown');
    const above = descendants(upstream, teardowns);
    for (const below of descendants(downstream, [id])) {
      if (tasks.get(below)!.role === 'teardown' || (teardowns.length > 0 && !above.has(below))) continue;
      const known = scopes.get(below);
      if (known === undefined) scopes.set(below, [id]);
      else known.push(id);
    }
  }
  return scopes;
}

/** Everything downstream of `ids`, however far, without themselves unless one is downstream of another. */
export function descendants(
  downstream: ReadonlyMap<string, readonly string[]>,
  ids: readonly string[],
): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const below of downstream.get(id) ?? [])
      if (!found.has(below)) {
        found.add(below);
        open.push(below);
      }
  return found;
}
