import type {
  DagDeclaration,
  GroupDeclaration,
  TaskDeclaration,
  UpstreamDeclaration,
} from './declaration.ts';
import type { Problem } from './problems.ts';
import { problem } from './problems.ts';

/** Direct upstream ids by task id. */
export type Upstreams = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The edges of a declaration: those of data (`referred`), those of `.after`, and those of groups spelled out, from
 * each last task of the upstream group to each first task of the downstream one. Nothing waits for a group's teardowns.
 */
export function edgesOf(
  declaration: DagDeclaration<never>,
  referred: ReadonlyMap<string, ReadonlySet<string>>,
  problems: Problem[],
): Upstreams {
  const edges = new Map(declaration.tasks.map((task) => [task.id, new Set(referred.get(task.id))]));
  const members = membersByGroup(declaration.tasks);
  const known = (upstream: UpstreamDeclaration, place: string): boolean => {
    if (upstream.scope === declaration) return true;
    const found =
      upstream.what === 'unknown' ? upstream.id : `the ${upstream.what} ${upstream.id} of another DAG`;
    problems.push(
      problem(
        place,
        'after(...) to get tasks and groups of this DAG',
        found,
        'Pass what task() or group() returned.',
      ),
    );
    return false;
  };
  const teardowns = new Set(declaration.tasks.filter(({ role }) => role === 'teardown').map(({ id }) => id));
  const lasting = (ids: readonly string[]): readonly string[] => ids.filter((id) => !teardowns.has(id));
  const places = new Map([...declaration.tasks, ...declaration.groups].map((each) => [each.id, each.groups]));
  const declared: DeclaredEdge[] = [];
  const declare = (to: TaskDeclaration<never> | GroupDeclaration, what: 'task' | 'group'): void => {
    for (const from of to.after.filter((each) => known(each, `dag ${declaration.id}, ${what} ${to.id}`)))
      if (what === 'task' && from.what === 'task') edges.get(to.id)!.add(from.id);
      else
        declared.push({
          to: to.id,
          toGroup: what === 'group',
          from,
          depth: sharedDepth(to.groups, places.get(from.id) ?? []),
        });
  };
  for (const task of declaration.tasks) declare(task, 'task');
  for (const group of declaration.groups) declare(group, 'group');

  // Edges within a group decide which of its tasks are first and last, so they come before edges of the group itself.
  for (const { to, toGroup, from } of declared.sort((a, b) => b.depth - a.depth)) {
    const starts = toGroup ? firstOf(members.get(to) ?? [], edges) : [to];
    const ends = from.what === 'group' ? lastOf(lasting(members.get(from.id) ?? []), edges) : [from.id];
    for (const start of starts) for (const end of ends) edges.get(start)?.add(end);
  }
  return edges;
}

interface DeclaredEdge {
  readonly to: string;
  readonly toGroup: boolean;
  readonly from: UpstreamDeclaration;
  /** Number of groups around both ends. */
  readonly depth: number;
}

function sharedDepth(a: readonly string[], b: readonly string[]): number {
  let depth = 0;
  while (depth < a.length && a[depth] === b[depth]) depth += 1;
  return depth;
}

function membersByGroup(tasks: readonly TaskDeclaration<never>[]): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, string[]>();
  for (const task of tasks)
    for (const group of task.groups) {
      const ids = members.get(group);
      if (ids === undefined) members.set(group, [task.id]);
      else ids.push(task.id);
    }
  return members;
}

function firstOf(ids: readonly string[], edges: Upstreams): readonly string[] {
  const within = new Set(ids);
  return ids.filter((id) => ![...edges.get(id)!].some((upstream) => within.has(upstream)));
}

function lastOf(ids: readonly string[], edges: Upstreams): readonly string[] {
  const within = new Set(ids.flatMap((id) => [...edges.get(id)!]));
  return ids.filter((id) => !within.has(id));
}

/** One cycle of each strongly connected part, as the path `[a, b, a]`; empty when the graph has none. */
export function cyclesOf(edges: Upstreams): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const state = new Map<string, 'open' | 'closed'>();
  for (const root of edges.keys()) {
    if (state.has(root)) continue;
    const path: { readonly id: string; readonly next: Iterator<string> }[] = [];
    const enter = (id: string): void => {
      state.set(id, 'open');
      path.push({ id, next: (edges.get(id) ?? new Set<string>()).values() });
    };
    enter(root);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const step = top.next.next();
      if (step.done === true) {
        state.set(top.id, 'closed');
        path.pop();
      } else if (!state.has(step.value)) enter(step.value);
      else if (state.get(step.value) === 'open') {
        const from = path.findIndex((each) => each.id === step.value);
        cycles.push([
          step.value,
          ...path
            .slice(from)
            .map((each) => each.id)
            .reverse(),
        ]);
      }
    }
  }
  return cycles;
}
