import { instancesOf, newInstance } from './instances.ts';
import type { Plan, RunState } from './plan.ts';
import type { InstanceKey, RunFacts, RunProgress, TaskInstance } from './run-progress.ts';
import { tornDown } from './setups.ts';
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
  for (const each of carriedOver(earlier))
    if (instances[each.taskId] !== undefined) instances[each.key] = each;
  const epochs = dropLeftOver(plan, instances);
  provideAgain(plan, instances);
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

/** What is still to run needs its setups again, where these have been torn down. */
function provideAgain(plan: Plan, instances: Record<InstanceKey, TaskInstance>): void {
  const open = plan.tasks.map(({ id }) => id).filter((id) => instances[id]!.state === 'none');
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const again of tornDown(plan, instances, id)) {
      instances[again] = { ...newInstance(again, null), attempt: instances[again]!.attempt + 1 };
      open.push(again);
    }
}

/** The instances of a closed run as they are in one that carries on from it, in the same order. */
export function carriedOver({ outcome, instances }: EarlierRun): readonly TaskInstance[] {
  const parts = instances.filter((each) => each.mapIndex !== null && isCutShort(each, outcome));
  const cutShort = new Set(parts.map(({ taskId }) => taskId));
  return instances.map((each) => {
    const fresh = newInstance(each.taskId, each.mapIndex);
    // A mapped task goes on when one of its instances does.
    const isOpen = each.mapIndex === null && cutShort.has(each.taskId);
    if (hasEnded(each.state) && !isOpen && !isCutShort(each, outcome)) return { ...fresh, ...each };
    return { ...fresh, attempt: each.state === 'none' ? each.attempt : each.attempt + 1 };
  });
}

/** Cancelling skips what waits, and that is no end of its own. */
function isCutShort({ state, scheduledAt }: CarriedInstance, outcome: RunState): boolean {
  return outcome === 'cancelled' && state === 'skipped' && scheduledAt !== null;
}
