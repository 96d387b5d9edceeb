import type { Plan } from './plan.ts';

/** The queue of tasks that name none. */
export const defaultQueue = 'default';

/** Stands for the default queue and every one the worker's DAGs name. */
export const everyQueue = '*';

/** What is not allowed is said by the caller; a queue's name becomes part of a task queue's. */
export function isQueueName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/.test(name);
}

/** Temporal's task queue for a queue: `<base>` for the default one, `<base>.<queue>` for any other. */
export function taskQueueOf(base: string, queue: string): string {
  return queue === defaultQueue ? base : `${base}.${queue}`;
}

/** Queues that tasks of these plans name, sorted; the default one left out. */
export function namedQueues(plans: Iterable<Plan>): string[] {
  const names = new Set<string>();
  for (const { tasks } of plans) for (const { queue } of tasks) if (queue !== undefined) names.add(queue);
  return [...names].sort();
}
