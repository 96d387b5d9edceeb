import type { Draft } from './draft.ts';
import type { Plan, PlanTask, TaskState } from './plan.ts';
import { planIndex } from './plan-index.ts';
import { problem } from './problems.ts';
import type { Problem } from './problems.ts';
import type { RunProgress } from './run-progress.ts';
import { hasEnded } from './trigger-rules.ts';
import type { Verdict } from './trigger-rules.ts';

/** Setups that a task needs to run again, since what they provided has been cleared away, and the teardowns that did, or do it now. */
export function tornDown(plan: Plan, instances: RunProgress['instances'], taskId: string): readonly string[] {
  const { tasks, downstream, setups } = planIndex(plan);
  const begun = (setup: string): readonly string[] =>
    downstream
      .get(setup)!
      .filter((id) => tasks.get(id)!.role === 'teardown' && instances[id]!.scheduledAt !== null);
  const provided = (setups.get(taskId) ?? []).filter(
    (id) => instances[id]!.state === 'success' && begun(id).length > 0,
  );
  const own = tasks.get(taskId)!.role === 'setup' ? begun(taskId) : [];
  return [...own, ...provided.flatMap((id) => [id, ...begun(id)])];
}

/** A teardown without a setup directly upstream would never run. */
export function checkSetups(dagPlace: string, tasks: readonly PlanTask[], problems: Problem[]): void {
  const setups = new Set(tasks.filter(({ role }) => role === 'setup').map(({ id }) => id));
  for (const { id, role, upstream } of tasks)
    if (role === 'teardown' && !upstream.some((each) => setups.has(each)))
      problems.push(
        problem(
          `${dagPlace}, task ${id}`,
          'a teardown directly downstream of a setup',
          'none upstream',
          'Pass the output of what setup(...) returned as its input, or add .after(setup).',
        ),
      );
}

/** What the setups a task depends on say of it: it may run only if all succeeded. */
export function setupsVerdict(draft: Draft, taskId: string): Verdict {
  const states = (draft.index.setups.get(taskId) ?? []).map((id) => draft.state(id));
  return combined(states) ?? (states.includes('skipped') ? 'skipped' : 'run');
}

/** What the setups directly upstream of a teardown say of it, once all its upstream tasks have ended. */
export function teardownVerdict(draft: Draft, task: PlanTask): Verdict {
  if (!task.upstream.every((id) => hasEnded(draft.state(id)))) return 'wait';
  const states = ownSetups(draft, task);
  return states.includes('success') ? 'run' : (combined(states) ?? 'skipped');
}

function combined(states: readonly TaskState[]): Verdict | null {
  if (!states.every(hasEnded)) return 'wait';
  return states.includes('failed') || states.includes('upstream_failed') ? 'upstream_failed' : null;
}

function ownSetups(draft: Draft, task: PlanTask): readonly TaskState[] {
  return task.upstream.filter((id) => draft.task(id).role === 'setup').map((id) => draft.state(id));
}

/** True for a teardown that has not begun, of a setup that succeeded. */
function isOwed(draft: Draft, task: PlanTask): boolean {
  return draft.state(task.id) === 'none' && ownSetups(draft, task).includes('success');
}

/** In a run that is cancelled: true while a teardown is to come, or goes on. */
export function isTearingDown(draft: Draft): boolean {
  return draft.index.teardowns.some(({ id }) => isUnderWay(draft.state(id)) || isOwed(draft, draft.task(id)));
}

/** Begins the teardowns of a cancelled run above which nothing runs any more, and no other teardown is to come. */
export function tearDown(draft: Draft): void {
  const { teardowns } = draft.index;
  for (const { id, above } of teardowns) {
    const task = draft.task(id);
    const isFree = [...above].every(
      (each) =>
        !isUnderWay(draft.state(each)) && !(isTeardown(draft, each) && isOwed(draft, draft.task(each))),
    );
    if (isFree && isOwed(draft, task)) draft.start(draft.instances[id]!);
  }
}

function isTeardown(draft: Draft, taskId: string): boolean {
  return draft.task(taskId).role === 'teardown';
}

function isUnderWay(state: TaskState): boolean {
  return state !== 'none' && !hasEnded(state);
}
