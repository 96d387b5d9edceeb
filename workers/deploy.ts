import {
  isGrpcDeadlineError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';
import { clockBeginsAt } from '../dag/due.ts';
import type { Plan } from '../dag/plan.ts';
import { DagProblemsError, problem } from '../dag/problems.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { DagClock } from '../ports/schedule-log.ts';
import type { TickRequest } from '../ports/schedule-steps.ts';
import type { Definitions } from './definitions.ts';
import { clockDifferences, planDifferences, type Difference } from './schedule-differences.ts';
import { schedulePolicies, scheduleSpec } from './schedule-spec.ts';

/** What a deploy would do, or did, to one DAG's schedule. `orphaned`: no DAG of this code, and kept unless pruned. */
export interface ScheduleChange {
  readonly dagId: string;
  readonly scheduleId: string;
  readonly action: 'create' | 'update' | 'remove' | 'orphaned' | 'unchanged';
  readonly differences: readonly Difference[];
  /** Open runs of a DAG whose schedule goes: they go on. */
  readonly openRuns: number;
}

export interface DeployParts {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly definitions: Definitions;
  readonly taskQueue: string;
  /** Remove schedules of DAGs that are not defined any more. */
  readonly prune: boolean;
}

type Action = Extract<ScheduleOptions['action'], { type: 'startWorkflow' }>;

const prefix = 'ingot-';
/** Schedules asked about, or changed, at the same time. */
const atOnce = 10;

export function scheduleId(dagId: string): string {
  return `${prefix}${dagId}`;
}

function action(dagId: string, taskQueue: string): Action {
  return {
    type: 'startWorkflow',
    workflowType: 'tick',
    // A DAG's id has no colon: no run is ever called so.
    workflowId: `tick:${dagId}`,
    taskQueue,
    args: [{ dagId } satisfies TickRequest],
    staticSummary: `the clock of ${dagId}`,
  };
}

/** How often a schedule is asked about that a busy server has no time for: it gives a question up after ten seconds. */
const questions = 4;

async function describe(
  client: Client,
  dagId: string,
  left = questions,
): Promise<ScheduleDescription | null> {
  try {
    return await client.schedule.getHandle(scheduleId(dagId)).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    if (left > 1 && isGrpcDeadlineError(error)) return describe(client, dagId, left - 1);
    throw error;
  }
}

function asScheduled({ plan }: { readonly plan: Plan }): boolean {
  return plan.schedule !== null;
}

async function changeOf(
  parts: DeployParts,
  clock: DagClock | undefined,
  dag: { readonly id: string; readonly hash: string; readonly plan: Plan },
): Promise<ScheduleChange> {
  const { client, taskQueue } = parts;
  const description = await describe(client, dag.id);
  const base = { dagId: dag.id, scheduleId: scheduleId(dag.id), openRuns: 0 };
  const known = clock?.plan ?? null;
  const declared = planDifferences(known, dag.plan);
  if (description === null)
    return { ...base, action: 'create', differences: planDifferences(null, dag.plan) };
  const clocks = clockDifferences(description, dag.plan, taskQueue, Date.now());
  // Where the declaration changed, the clock that ticks otherwise is the same change once more.
  const differences =
    declared.length > 0 ? [...declared, ...clocks.filter((each) => each.field !== 'clock')] : clocks;
  const replan: Difference[] =
    differences.length === 0 && clock?.planHash !== dag.hash
      ? [{ field: 'plan', from: clock?.planHash?.slice(0, 8) ?? null, to: dag.hash.slice(0, 8) }]
      : [];
  const all = [...differences, ...replan];
  return { ...base, action: all.length === 0 ? 'unchanged' : 'update', differences: all };
}

/** DAG ids of this project's schedules in Temporal, in case the ledger does not know them. */
async function scheduledInTemporal({ client, taskQueue }: DeployParts): Promise<string[]> {
  const found: string[] = [];
  for await (const { memo } of client.schedule.list()) {
    const ours = memo?.['ingot'] as { dagId?: string; taskQueue?: string } | undefined;
    if (ours?.dagId !== undefined && ours.taskQueue === taskQueue) found.push(ours.dagId);
  }
  return found;
}

async function surplus(parts: DeployParts, clocks: readonly DagClock[]): Promise<ScheduleChange[]> {
  const { client, definitions, ledger, prune } = parts;
  const deployed = clocks.filter((clock) => clock.planHash !== null).map((clock) => clock.dagId);
  const ids = [...new Set([...deployed, ...(await scheduledInTemporal(parts))])].sort();
  const changes: ScheduleChange[] = [];
  for (const dagId of ids) {
    const dag = definitions.get(dagId);
    if (dag !== undefined && asScheduled(dag)) continue;
    // In force for its assets alone: it has no clock, unless it had one before.
    const byAssets = (dag ?? clocks.find((clock) => clock.dagId === dagId))?.plan?.assets !== undefined;
    const inForce = deployed.includes(dagId) && !byAssets;
    if (!inForce && (await describe(client, dagId)) === null) continue;
    const open = await ledger.runs({ dagId, state: 'running', limit: 10_000 });
    const why = dag === undefined ? 'not defined any more' : 'no schedule any more';
    changes.push({
      dagId,
      scheduleId: scheduleId(dagId),
      action: dag === undefined && !prune ? 'orphaned' : 'remove',
      differences: [{ field: 'schedule', from: 'deployed', to: why }],
      openRuns: open.length,
    });
  }
  return changes;
}

async function inTurns<T, R>(items: readonly T[], perform: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const turns = Array.from({ length: atOnce }, async () => {
    for (const [index, item] of rest) results[index] = await perform(item);
  });
  await Promise.all(turns);
  return results;
}

/** A run that the clock starts has nobody to give it params. */
function refuseWithoutDefaults(definitions: Definitions): void {
  const unattended = [...definitions.values()].filter(
    (dag) => asScheduled(dag) || dag.plan.assets !== undefined,
  );
  const problems = unattended.flatMap(({ id, plan }) =>
    Object.entries(plan.params)
      .filter(([, param]) => param.required)
      .map(([name]) =>
        problem(
          `dag ${id}, param ${name}`,
          'every param of a scheduled DAG to have a default',
          'a required one',
          'Give it a default, or take the schedule away.',
        ),
      ),
  );
  if (problems.length > 0) throw new DagProblemsError('The deployment', problems);
}

/** What a deploy would change, by DAG; changes nothing. Throws DagProblemsError for DAGs that cannot be scheduled. */
export async function planDeploy(parts: DeployParts): Promise<readonly ScheduleChange[]> {
  refuseWithoutDefaults(parts.definitions);
  const clocks = await parts.ledger.clocks();
  const byId = new Map(clocks.map((clock) => [clock.dagId, clock]));
  const scheduled = [...parts.definitions.values()].filter(asScheduled);
  const changes = await inTurns(scheduled, (dag) => changeOf(parts, byId.get(dag.id), dag));
  return [...changes, ...(await surplus(parts, clocks))].sort((a, b) => (a.dagId < b.dagId ? -1 : 1));
}

async function remove({ client, ledger }: DeployParts, dagId: string): Promise<void> {
  // First the ledger: a tick under way stops at its next look.
  await ledger.withdrawSchedule(dagId);
  await client.schedule
    .getHandle(scheduleId(dagId))
    .delete()
    .catch((error: unknown) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    });
}

async function put(
  { client, ledger, definitions, taskQueue }: DeployParts,
  change: ScheduleChange,
): Promise<void> {
  const { dagId } = change;
  const { plan, hash } = definitions.get(dagId)!;
  const now = Date.now();
  await ledger.deploySchedule(plan, hash, clockBeginsAt(plan, now));
  const options = {
    spec: scheduleSpec(plan, now),
    action: action(dagId, taskQueue),
    policies: schedulePolicies,
  };
  const memo = { ingot: { dagId, taskQueue } };
  if (
    change.action === 'create' &&
    (await created(client, { scheduleId: change.scheduleId, ...options, memo }))
  )
    return;
  await client.schedule
    .getHandle(change.scheduleId)
    .update(() => ({ ...options, state: { paused: false, note: 'ingot dags deploy' } }));
  await tickNow(client, dagId);
}

/** Creates a schedule that ticks at once, in one call; false when another deploy was faster. */
async function created(client: Client, options: ScheduleOptions): Promise<boolean> {
  try {
    await client.schedule.create({ ...options, state: { triggerImmediately: true } });
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

/** Lets the DAG's clock tick once more, now; false when it has none. */
export async function tickNow(client: Client, dagId: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(scheduleId(dagId)).trigger(schedulePolicies.overlap);
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

/** Makes the changes. May be repeated, and ended at any point: the next deploy goes on from there. */
export async function applyDeploy(parts: DeployParts, changes: readonly ScheduleChange[]): Promise<void> {
  await inTurns(changes, async (change) => {
    if (change.action === 'remove') await remove(parts, change.dagId);
    if (change.action === 'create' || change.action === 'update') await put(parts, change);
  });
}
