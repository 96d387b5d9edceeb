import type { InstanceKey, RunProgress, TaskInstance } from './run-progress.ts';

export function instanceKey(taskId: string, mapIndex: number | null): InstanceKey {
  return mapIndex === null ? taskId : `${taskId}[${mapIndex}]`;
}

export function newInstance(taskId: string, mapIndex: number | null): TaskInstance {
  return {
    key: instanceKey(taskId, mapIndex),
    taskId,
    mapIndex,
    state: 'none',
    attempt: 0,
    failures: 0,
    conflicts: 0,
    output: null,
    failure: null,
    waitingFor: null,
    scheduledAt: null,
    endedAt: null,
  };
}

/** The instances of a mapped task that there are, in order; none before it is expanded. */
export function instancesOf(instances: RunProgress['instances'], taskId: string): readonly TaskInstance[] {
  const found: TaskInstance[] = [];
  for (let index = 0; ; index += 1) {
    const instance = instances[instanceKey(taskId, index)];
    if (instance === undefined) return found;
    found.push(instance);
  }
}

/** The order of instance keys: by task, then by index as a number. */
export function byKey(a: InstanceKey, b: InstanceKey): number {
  if (a === b) return 0;
  const [left, right] = [a.split('['), b.split('[')] as [[string, string?], [string, string?]];
  if (left[0] !== right[0]) return left[0] < right[0] ? -1 : 1;
  return Number.parseInt(left[1] ?? '-1', 10) - Number.parseInt(right[1] ?? '-1', 10);
}
