import { affectedBelow, clearedBy } from './clearing.ts';
import { byKey } from './instances.ts';
import type { Plan, TaskState } from './plan.ts';
import type { InstanceKey, OperatorChange, RunProgress } from './run-progress.ts';

/** What a change would do to an instance. `why` as in `Cleared`; `unfinished` had not ended when its run did. */
export interface PreviewedInstance {
  readonly key: InstanceKey;
  /** As it is now. */
  readonly state: TaskState;
  readonly becomes: 'runs again' | 'is decided again' | 'runs when its turn comes' | 'success' | 'failed';
  readonly why: 'asked' | 'depends' | 'reacted' | 'unfinished';
}

/** What a change that fits the run would do, instance by instance; everything else stays as it is. */
export function previewChange(
  plan: Plan,
  { instances }: Pick<RunProgress, 'instances'>,
  change: Exclude<OperatorChange, { type: 'approval_answered' }>,
): readonly PreviewedInstance[] {
  const found: PreviewedInstance[] = [];
  if (change.type === 'tasks_cleared')
    for (const { key, state, why } of clearedBy(plan, { instances }, change).cleared)
      found.push({
        key,
        state,
        becomes: why === 'asked' && state !== 'upstream_failed' ? 'runs again' : 'is decided again',
        why,
      });
  else {
    const { state, taskId } = instances[change.key]!;
    found.push({ key: change.key, state, becomes: change.as, why: 'asked' });
    for (const [key, why] of affectedBelow(plan, instances, new Set([taskId]), false))
      found.push({ key, state: instances[key]!.state, becomes: 'is decided again', why });
  }
  return found.sort((a, b) => byKey(a.key, b.key));
}

/** What a run that carries on from a closed one does besides: all that had not ended when that one did. */
export function previewUnfinished(
  { instances }: Pick<RunProgress, 'instances'>,
  changed: readonly PreviewedInstance[],
): readonly PreviewedInstance[] {
  const known = new Set(changed.map(({ key }) => key));
  return Object.values(instances)
    .filter(({ key, state }) => state === 'none' && !known.has(key))
    .map(
      ({ key, state }) => ({ key, state, becomes: 'runs when its turn comes', why: 'unfinished' }) as const,
    )
    .sort((a, b) => byKey(a.key, b.key));
}
