import { pc } from './colours.ts';
import type { Plan, PlanTask } from '../dag/plan.ts';

/** How far a task is from the beginning, along its longest way. */
function depths(plan: Plan): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const depth = (id: string): number => {
    const known = found.get(id);
    if (known !== undefined) return known;
    const own = Math.max(-1, ...(tasks.get(id)?.upstream ?? []).map(depth)) + 1;
    found.set(id, own);
    return own;
  };
  for (const id of tasks.keys()) depth(id);
  return found;
}

function remarks(task: PlanTask, others: readonly string[]): string {
  return [
    task.kind === 'task' ? null : task.kind,
    task.mapOver === null ? null : 'mapped',
    task.triggerRule === 'all_success' ? null : task.triggerRule,
    others.length === 0 ? null : `also after ${others.join(', ')}`,
    task.summary,
  ]
    .filter((text) => text !== null)
    .join(' · ');
}

/** The graph as a tree: each task under the last of its upstream tasks, the others named beside it. */
export function taskTree(plan: Plan): string[] {
  const depth = depths(plan);
  const parentOf = (task: PlanTask): string | undefined =>
    [...task.upstream].sort((a, b) => depth.get(b)! - depth.get(a)!)[0];
  const children = Map.groupBy(plan.tasks, parentOf);
  const lines: string[] = [];
  const draw = (task: PlanTask, indent: string, branch: string, below: string): void => {
    const others = task.upstream.filter((id) => id !== parentOf(task));
    const remark = remarks(task, others);
    lines.push(`${indent}${branch}${task.id}${remark === '' ? '' : `  ${pc.dim(remark)}`}`);
    const under = children.get(task.id) ?? [];
    under.forEach((child, index) => {
      const last = index === under.length - 1;
      draw(child, indent + below, last ? '└─ ' : '├─ ', last ? '   ' : '│  ');
    });
  };
  for (const root of children.get(undefined) ?? []) draw(root, '', '', '');
  return lines;
}
