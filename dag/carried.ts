import type { Columns } from './columns.ts';
import { packRecords, unpackRecords } from './columns.ts';
import { newInstance } from './instances.ts';
import type { Json, JsonObject } from './json.ts';
import type { Plan } from './plan.ts';
import type { CarriedInstance, EarlierRun } from './resume.ts';
import type { RunProgress, TaskInstance } from './run-progress.ts';

const partLength = 384 * 1024;
/** Under which an earlier run is parked: executions that continue a run count from 1. */
export const earlierRevision = 0;

/** Text in parts that each fit into a message; joined they are the text. No part begins or ends within a character. */
export function textParts(text: string): readonly string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length || parts.length === 0;) {
    const last = text.charCodeAt(from + partLength - 1);
    const to = from + partLength - (last >= 0xd800 && last <= 0xdbff ? 1 : 0);
    parts.push(text.slice(from, to));
    from = to;
  }
  return parts;
}

/** A plan as short text; {@link unpackPlan} gives the same plan. */
export function packPlan(plan: Plan): string {
  return JSON.stringify({ ...plan, tasks: packRecords(plan.tasks as unknown as readonly JsonObject[]) });
}

export function unpackPlan(text: string): Plan {
  const packed = JSON.parse(text) as Omit<Plan, 'tasks'> & { readonly tasks: Columns };
  return { ...packed, tasks: unpackRecords(packed.tasks) as unknown as Plan['tasks'] };
}

/** Progress as short text; {@link unpackProgress} gives the same progress. What an instance has of a new one is left out. */
export function packProgress(progress: RunProgress): string {
  const instances = Object.values(progress.instances).map(packInstance);
  return JSON.stringify({ ...progress, instances: packRecords(instances) });
}

export function unpackProgress(text: string): RunProgress {
  const packed = JSON.parse(text) as Omit<RunProgress, 'instances'> & { readonly instances: Columns };
  const instances = unpackRecords(packed.instances).map(unpackInstance);
  return {
    ...packed,
    instances: Object.fromEntries(instances.map((instance) => [instance.key, instance])),
  };
}

/** How far an earlier run came as short text; {@link unpackEarlier} gives the same. */
export function packEarlier({ outcome, instances }: EarlierRun): string {
  return JSON.stringify({ outcome, instances: packRecords(instances as unknown as readonly JsonObject[]) });
}

export function unpackEarlier(text: string): EarlierRun {
  const { outcome, instances } = JSON.parse(text) as Pick<EarlierRun, 'outcome'> & {
    readonly instances: Columns;
  };
  return { outcome, instances: unpackRecords(instances) as unknown as readonly CarriedInstance[] };
}

function packInstance(instance: TaskInstance): JsonObject {
  const fresh = newInstance(instance.taskId, instance.mapIndex) as unknown as JsonObject;
  const packed: Record<string, Json> = {};
  for (const [name, value] of Object.entries(instance as unknown as JsonObject)) {
    // What a new instance has are texts, numbers and nulls.
    const isGiven = value === fresh[name] && name !== 'taskId' && name !== 'mapIndex';
    if (!isGiven && name !== 'key') packed[name] = value;
  }
  return packed;
}

function unpackInstance(packed: JsonObject): TaskInstance {
  const { taskId, mapIndex } = packed as unknown as TaskInstance;
  return { ...newInstance(taskId, mapIndex), ...packed } as TaskInstance;
}
