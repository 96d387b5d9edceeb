import { randomUUID } from 'node:crypto';
import type { TaskContext } from '../../activities/task-context.ts';
import type { DagDefinition } from '../../dag/builder.ts';
import type { Plan } from '../../dag/plan.ts';
import type { RunRecord } from '../../ports/ledger.ts';
import type { TickSummary } from '../../ports/schedule-steps.ts';
import { applyFeeds, planFeeds } from '../../workers/asset-feeds.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { applyDeploy, planDeploy, scheduleId, type ScheduleChange } from '../../workers/deploy.ts';
import { eventually } from '../support/processes.ts';
import type { Bench } from './harness.ts';

/** Schedules of all tests live in one namespace. */
export function uniqueId(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`;
}

export function planOf(definition: DagDefinition<TaskContext>): Plan {
  return compileDefinitions([definition]).get(definition.id)!.plan;
}

export async function deploy(
  bench: Bench,
  dags: readonly DagDefinition<TaskContext>[],
  options: { readonly prune?: boolean; readonly dryRun?: boolean; readonly pollMs?: number } = {},
): Promise<readonly ScheduleChange[]> {
  const { client, ledger, taskQueue } = bench;
  const definitions = compileDefinitions(dags);
  const parts = { client, ledger, definitions, taskQueue, prune: options.prune === true };
  const changes = await planDeploy(parts);
  const feeds = await planFeeds({ ...parts, pollMs: options.pollMs ?? 600_000 });
  if (options.dryRun !== true) {
    await applyDeploy(parts, changes);
    await applyFeeds({ ...parts, pollMs: options.pollMs ?? 600_000 }, feeds);
  }
  return changes;
}

/** One tick of the DAG's clock, as its schedule would start it; its result. */
export async function tickOnce(bench: Bench, dagId: string): Promise<TickSummary> {
  return (await bench.client.workflow.execute('tick', {
    workflowId: `tick:${dagId}-${randomUUID()}`,
    taskQueue: bench.taskQueue,
    args: [{ dagId }],
  })) as TickSummary;
}

/** Ticks of the DAG that its schedule started, by how they ended. */
export async function scheduledTicks(
  bench: Bench,
  dagId: string,
): Promise<{ workflowId: string; open: boolean }[]> {
  const { info } = await bench.client.schedule.getHandle(scheduleId(dagId)).describe();
  return info.recentActions.map(({ action }) => ({
    workflowId: action.workflow.workflowId,
    open: info.runningActions.some((each) => each.workflow.workflowId === action.workflow.workflowId),
  }));
}

export async function runsOf(bench: Bench, dagId: string): Promise<readonly RunRecord[]> {
  const runs = await bench.ledger.runs({ dagId, limit: 1000 });
  return runs.toSorted((a, b) => a.intervalEnd.localeCompare(b.intervalEnd));
}

export function endedRuns(bench: Bench, dagId: string, count: number): Promise<readonly RunRecord[]> {
  return eventually(`${count} ended runs of ${dagId}`, async () => {
    const runs = await runsOf(bench, dagId);
    return runs.filter((run) => run.endedAt !== null).length >= count ? runs : null;
  });
}

/** So many whole days before now, at midnight UTC. */
export function daysAgo(count: number): string {
  return new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000 - count * 86_400_000)
    .toISOString()
    .slice(0, 10);
}
