import { instanceKey, instancesOf, newInstance } from './instances.ts';
import type { Plan, RunState } from './plan.ts';
import type { InstanceKey, RunFacts, RunProgress, TaskInstance } from './run-progress.ts';
import { hasEnded } from './trigger-rules.ts';

/** How far an instance came in an earlier run of the interval. */
export type CarriedInstance = Pick<
  TaskInstance,
  'taskId' | 'mapIndex' | 'attempt' | 'state' | 'output' | 'failure' | 'scheduledAt' | 'endedAt'
>;

/** The last that is known of each instance of a closed run. */
export interface EarlierRun {
  readonly outcome: RunState;
  readonly instances: readonly CarriedInstance[];
}

/**
 * A run that carries on from an earlier, closed one: what had ended stays as it was, with its output, everything else
 * is as if it had not begun, under the number of its next attempt. `run_resumed` begins it.
 */
export function resumeRun(plan: Plan, facts: RunFacts, earlier: EarlierRun): RunProgress {
  const instances: Record<InstanceKey, TaskInstance> = {};
  for (const task of plan.tasks) instances[task.id] = newInstance(task.id, null);
  for (const each of earlier.instances)
    if (instances[each.taskId] !== undefined) {
      const carried = carriedAs(each, earlier.outcome);
      instances[instanceKey(each.taskId, each.mapIndex)] = carried;
    }
  const epochs = dropLeftOver(plan, instances);
  return {
    facts,
    instances,
    cancelRequested: false,
    ...(Object.keys(epochs).length > 0 ? { epochs } : {}),
    outcome: null,
  };
}

/** Instances of a mapped task that its last list was too short for. */
function dropLeftOver(plan: Plan, instances: Record<InstanceKey, TaskInstance>): Record<InstanceKey, number> {
  const epochs: Record<InstanceKey, number> = {};
  for (const { id, mapOver } of plan.tasks) {
    if (mapOver === null || !hasEnded(instances[id]!.state)) continue;
    for (const { key, state, attempt } of instancesOf(instances, id))
      if (!hasEnded(state)) {
        epochs[key] = attempt;
        delete instances[key];
      }
  }
  return epochs;
}

/** An instance of a run that ended so, as it is in one that carries on from it. */
export function carriedAs(each: CarriedInstance, outcome: RunState): TaskInstance {
  const fresh = newInstance(each.taskId, each.mapIndex);
  // Cancelling skips what waits, and that is no end of its own.
  const cutShort = outcome === 'cancelled' && each.state === 'skipped' && each.scheduledAt !== null;
  if (hasEnded(each.state) && !cutShort) return { ...fresh, ...each };
  return { ...fresh, attempt: each.state === 'none' ? each.attempt : each.attempt + 1 };
}
