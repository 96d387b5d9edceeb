import type { Draft } from './draft.ts';
import { byKey, instancesOf } from './instances.ts';
import type { PlanTask, RunOutcome, TaskState } from './plan.ts';
import type { InstanceKey, RunProgress } from './run-progress.ts';
import { isTearingDown } from './setups.ts';

/** Instances that failed by themselves, sorted; a mapped task is named by its failed instances, or itself when it has none. */
export function failuresOf(instances: RunProgress['instances']): readonly InstanceKey[] {
  return Object.values(instances)
    .filter((instance) => instance.state === 'failed')
    .filter(
      (instance) =>
        instance.mapIndex !== null ||
        !instancesOf(instances, instance.taskId).some((part) => part.state === 'failed'),
    )
    .map((instance) => instance.key)
    .sort(byKey);
}

/**
 * How the run ended, or null while it goes on.
 *
 * It fails if a task failed and the failure is not handled. It is handled when a task that is declared with
 * `handlesFailure` (and so reacts to failure: `one_failed` or `all_failed`) succeeded, and the failed task is
 * directly upstream of it, or made a task directly upstream of it `upstream_failed`, over any number of these.
 * A teardown's failure counts only with `onFailureFailRun`. Nothing else turns a failed run green: no `all_done` or `always` leaf, no alert that was sent.
 */
export function outcomeOf(draft: Draft): RunOutcome | null {
  if (draft.cancelRequested) return draft.standing.running > 0 || isTearingDown(draft) ? null : 'cancelled';
  if (!draft.standing.allEnded) return null;
  const handled = handledTasks(draft);
  return draft.plan.tasks.some(
    (task) => failsRun(task) && draft.state(task.id) === 'failed' && !handled.has(task.id),
  )
    ? 'failed'
    : 'success';
}

/** The run does not depend on whether a teardown succeeds, unless that says so. */
function failsRun({ role, onFailureFailRun }: PlanTask): boolean {
  return role !== 'teardown' || onFailureFailRun === true;
}

const failing: ReadonlySet<TaskState> = new Set(['failed', 'upstream_failed']);

function handledTasks(draft: Draft): ReadonlySet<string> {
  const handled = new Set<string>();
  const open = draft.plan.tasks.filter(
    (task) => task.handlesFailure === true && draft.state(task.id) === 'success',
  );
  for (let task = open.pop(); task !== undefined; task = open.pop())
    for (const id of task.upstream) {
      if (!failing.has(draft.state(id)) || handled.has(id)) continue;
      handled.add(id);
      if (draft.state(id) === 'upstream_failed') open.push(draft.task(id));
    }
  return handled;
}
