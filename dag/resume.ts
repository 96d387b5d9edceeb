import { instanceKey, newInstance } from './draft.ts';
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
      const carried = carry(each, earlier.outcome);
      instances[instanceKey(each.taskId, each.mapIndex)] = carried;
    }
  return { facts, instances, cancelRequested: false, outcome: null };
}

function carry(each: CarriedInstance, outcome: RunState): TaskInstance {
  const fresh = newInstance(each.taskId, each.mapIndex);
  // Cancelling skips what waits, and that is no end of its own.
  const cutShort = outcome === 'cancelled' && each.state === 'skipped' && each.scheduledAt !== null;
  if (hasEnded(each.state) && !cutShort) return { ...fresh, ...each };
  return { ...fresh, attempt: each.state === 'none' ? each.attempt : each.attempt + 1 };
}
