import { defaultActiveTasks } from './plan.ts';
import type { Plan, RunState, TaskState } from './plan.ts';
import { planIndex } from './plan-index.ts';
import { listSources, upstreamCounts } from './readiness.ts';
import type { InstanceKey, RunProgress, WaitReason } from './run-progress.ts';
import { hasEnded, triggerVerdict } from './trigger-rules.ts';

export interface TaskStanding {
  readonly taskId: string;
  readonly state: TaskState;
}

/** Why an instance is not running, or how it ended. */
export type Explanation =
  | { readonly kind: 'unknown_instance' }
  | { readonly kind: 'running'; readonly attempt: number }
  | { readonly kind: 'ended'; readonly state: TaskState; readonly because: readonly TaskStanding[] }
  /** Waits for a timer: a retry, a poke, a conflict, a worker that knows the task. */
  | { readonly kind: 'waiting'; readonly for: WaitReason }
  /** Ready: as many attempts of the run as may (`maxActiveTasks`) are under way. */
  | { readonly kind: 'waiting_for_slot'; readonly maxActiveTasks: number }
  /** Its trigger rule is not decided by the upstream tasks that have ended. */
  | { readonly kind: 'upstream_open'; readonly open: readonly TaskStanding[] }
  /** Its rule is decided, but a short circuit, branch or setup above, or the task whose list it is mapped over, could still skip it. */
  | { readonly kind: 'undecided_above'; readonly open: readonly TaskStanding[] }
  | { readonly kind: 'run_cancelled' }
  /** It had not ended when its run did. */
  | { readonly kind: 'run_ended'; readonly outcome: RunState };

/** Answers "why is this task not running?" from a plan and the progress of a run of it. */
export function explain(plan: Plan, progress: RunProgress, key: InstanceKey): Explanation {
  const instance = progress.instances[key];
  if (instance === undefined) return { kind: 'unknown_instance' };
  const index = planIndex(plan);
  const task = index.tasks.get(instance.taskId)!;
  const standings = (ids: readonly string[]): readonly TaskStanding[] =>
    [...new Set(ids)].sort().map((taskId) => ({ taskId, state: progress.instances[taskId]!.state }));
  const open = (ids: readonly string[]): readonly TaskStanding[] =>
    standings(ids).filter(({ state }) => !hasEnded(state));

  if (progress.outcome !== null && !hasEnded(instance.state))
    return progress.outcome === 'cancelled'
      ? { kind: 'run_cancelled' }
      : { kind: 'run_ended', outcome: progress.outcome };
  if (instance.waitingFor !== null) return { kind: 'waiting', for: instance.waitingFor };
  if (hasEnded(instance.state)) {
    const skippers = [...(index.gates.get(task.id) ?? []), ...(index.setups.get(task.id) ?? [])];
    const passedOn =
      instance.scheduledAt === null && instance.mapIndex === null && instance.state !== 'success';
    return {
      kind: 'ended',
      state: instance.state,
      because: passedOn ? standings([...task.upstream, ...skippers]) : [],
    };
  }
  if (instance.state === 'scheduled')
    return { kind: 'waiting_for_slot', maxActiveTasks: plan.maxActiveTasks ?? defaultActiveTasks };
  if (instance.state !== 'none') return { kind: 'running', attempt: instance.attempt };
  if (progress.cancelRequested) return { kind: 'run_cancelled' };
  if (triggerVerdict(task.triggerRule, upstreamCounts(task, progress.instances)) === 'wait')
    return { kind: 'upstream_open', open: open(task.upstream) };
  const above = [...(index.gates.get(task.id) ?? []), ...(index.setups.get(task.id) ?? [])];
  return { kind: 'undecided_above', open: open([...above, ...listSources(task)]) };
}
