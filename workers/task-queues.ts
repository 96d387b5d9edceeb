import type { Client } from '@temporalio/client';
import type { Plan } from '../dag/plan.ts';
import { defaultQueue, taskQueueOf } from '../dag/queues.ts';
import type { Ledger } from '../ports/ledger.ts';
import { describeRun, type RunHandle } from './client.ts';

/** Tasks of a run whose attempts wait because no worker takes anything from their queue. */
export interface UnpolledTasks {
  readonly taskIds: readonly string[];
  readonly queue: string;
  /** Temporal's name of it. */
  readonly taskQueue: string;
}

/** A poll lasts about a minute; Temporal remembers a poller for five. */
const silentMs = 90_000;
const taskQueueTypeActivity = 2;
const stateScheduled = 1;

/** Whether some worker takes activities from the task queue. */
export async function isPolled({ connection, options }: Client, taskQueue: string): Promise<boolean> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: taskQueueTypeActivity,
  });
  const since = Date.now() - silentMs;
  return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 >= since);
}

function queueOf(plan: Plan, activityType: string): { readonly taskId: string; readonly queue: string } {
  const name = activityType.slice(plan.dagId.length + 1);
  const task = plan.tasks.find(({ id }) => id === name);
  // Publishing has no queue of its own.
  return { taskId: name.replace(/:publish$/, ''), queue: task?.queue ?? defaultQueue };
}

/** What an open run waits for although nothing is in its way but that no worker polls; asks Temporal, not a worker. */
export async function unpolledTasks(
  client: Client,
  ledger: Pick<Ledger, 'run' | 'plan'>,
  run: RunHandle,
): Promise<readonly UnpolledTasks[]> {
  const known = await ledger.run(run.runId);
  const plan = known?.state === 'running' ? await ledger.plan(known.planHash) : null;
  if (plan === null) return [];
  const raw = await describeRun(client, run);
  const waiting = (raw?.pendingActivities ?? []).filter(({ state }) => state === stateScheduled);
  const byQueue = Map.groupBy(
    waiting.map(({ activityType }) => queueOf(plan, activityType?.name ?? '')),
    ({ queue }) => queue,
  );
  const base = raw?.executionConfig?.taskQueue?.name ?? '';
  const found = [...byQueue].map(async ([queue, tasks]) => {
    const taskQueue = taskQueueOf(base, queue);
    const taskIds = [...new Set(tasks.map(({ taskId }) => taskId))].sort();
    return (await isPolled(client, taskQueue)) ? [] : [{ taskIds, queue, taskQueue }];
  });
  return (await Promise.all(found)).flat();
}
