import type { Client } from '@temporalio/client';

export interface QueuePollers {
  readonly taskQueue: string;
  /** Workers that asked for work lately. */
  readonly workers: readonly string[];
  /** When the last worker did, as far as the server remembers. */
  readonly lastSeenAt: string | null;
}

/** A worker without work asks once a minute. */
const recentMs = 75_000;

const workflowTasks = 1;
const activityTasks = 2;

/** Who polls a task queue, for workflow tasks and for activities. */
export async function queuePollers(
  client: Client,
  namespace: string,
  taskQueue: string,
): Promise<QueuePollers> {
  const answers = await Promise.all(
    [workflowTasks, activityTasks].map((taskQueueType) =>
      client.workflowService.describeTaskQueue({ namespace, taskQueue: { name: taskQueue }, taskQueueType }),
    ),
  );
  const seen = answers
    .flatMap(({ pollers }) => pollers ?? [])
    .map(({ identity, lastAccessTime }) => ({
      worker: identity ?? '',
      at: Number(lastAccessTime?.seconds ?? 0) * 1000,
    }));
  const last = Math.max(0, ...seen.map(({ at }) => at));
  const recent = seen.filter(({ at }) => Date.now() - at < recentMs);
  return {
    taskQueue,
    workers: [...new Set(recent.map(({ worker }) => worker))].sort(),
    lastSeenAt: last === 0 ? null : new Date(last).toISOString(),
  };
}
