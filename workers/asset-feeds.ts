import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { assetsIn, conditionText } from '../dag/assets.ts';
import type { Plan } from '../dag/plan.ts';
import type { FeedRequest } from '../ports/assets.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Definitions } from './definitions.ts';

/** What a deploy would do, or did, to the asset feed of one DAG. */
export interface FeedChange {
  readonly dagId: string;
  readonly action: 'create' | 'update' | 'remove' | 'orphaned' | 'unchanged';
  /** What it waits for, before and after; null where there is no feed. */
  readonly from: string | null;
  readonly to: string | null;
  /** Assets that no DAG of this code publishes or emits. */
  readonly unknown: readonly string[];
}

export interface FeedParts {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly definitions: Definitions;
  readonly taskQueue: string;
  readonly prune: boolean;
  /** How often a feed looks though nobody woke it; a minute unless told. */
  readonly pollMs?: number;
}

/** Wire format: the name under which the workflow bundle exports it. */
const workflowType = 'ingot.assetFeed';
const defaultPollMs = 60_000;

// A DAG's id has no colon: no run is ever called so.
const feedId = (dagId: string): string => `assets:${dagId}`;

/** Tables that a task's kind says it reads or writes, and the assets declared beside them. */
export function assetsOfTask({ facts, inlets = [], outlets = [] }: Plan['tasks'][number]): {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
} {
  const told = (name: 'reads' | 'writes'): string[] => {
    const value = facts[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  };
  return { reads: [...told('reads'), ...inlets], writes: [...told('writes'), ...outlets] };
}

async function isOpen(client: Client, dagId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(feedId(dagId)).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

function followed({ assets }: Plan): string | null {
  return assets === undefined ? null : conditionText(assets);
}

/** What a deploy would change of the feeds, by DAG; changes nothing. */
export async function planFeeds(parts: FeedParts): Promise<readonly FeedChange[]> {
  const { client, ledger, definitions, prune } = parts;
  const clocks = new Map((await ledger.clocks()).map((clock) => [clock.dagId, clock]));
  const following = new Set((await ledger.assetCursors()).map(({ dagId }) => dagId));
  const produced = new Set(
    [...definitions.values()].flatMap(({ plan }) => plan.tasks.flatMap((task) => assetsOfTask(task).writes)),
  );
  const changes: FeedChange[] = [];
  for (const { id: dagId, plan, hash } of definitions.values()) {
    const to = followed(plan);
    const clock = clocks.get(dagId);
    const from = following.has(dagId) && clock?.plan ? followed(clock.plan) : null;
    if (to === null && !following.has(dagId)) continue;
    const inLine = from === to && clock?.planHash === hash && (await isOpen(client, dagId));
    changes.push({
      dagId,
      action: to === null ? 'remove' : from === null ? 'create' : inLine ? 'unchanged' : 'update',
      from,
      to,
      unknown: plan.assets === undefined ? [] : assetsIn(plan.assets).filter((name) => !produced.has(name)),
    });
  }
  for (const dagId of following) {
    if (definitions.has(dagId)) continue;
    const plan = clocks.get(dagId)?.plan;
    const from = plan ? followed(plan) : null;
    changes.push({ dagId, action: prune ? 'remove' : 'orphaned', from, to: null, unknown: [] });
  }
  return changes.sort((a, b) => (a.dagId < b.dagId ? -1 : 1));
}

async function put(
  { client, ledger, definitions, taskQueue, pollMs }: FeedParts,
  dagId: string,
): Promise<void> {
  const { plan, hash } = definitions.get(dagId)!;
  // A DAG with a schedule as well was put in force by its schedule's deploy, which knows where its clock begins.
  if (plan.schedule === null) await ledger.deploySchedule(plan, hash, null);
  await ledger.followAssets(dagId, assetsIn(plan.assets!));
  const request: FeedRequest = { dagId, pollMs: pollMs ?? defaultPollMs };
  await client.workflow.signalWithStart(workflowType, {
    workflowId: feedId(dagId),
    taskQueue,
    args: [request],
    signal: 'wake',
    signalArgs: [],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `the asset feed of ${dagId}`,
    staticDetails: `Waits for ${conditionText(plan.assets!)}`,
  });
}

async function remove({ client, ledger, definitions }: FeedParts, dagId: string): Promise<void> {
  await ledger.followAssets(dagId, []);
  const plan = definitions.get(dagId)?.plan;
  if (plan === undefined || plan.schedule === null) await ledger.withdrawSchedule(dagId);
  // It finds that it is not in force any more, and ends.
  await wakeFeed(client, dagId);
}

/** Lets the DAG's asset feed look again, now; false when it has none. */
export async function wakeFeed(client: Client, dagId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(feedId(dagId)).signal('wake');
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Makes the changes. May be repeated, and ended at any point: the next deploy goes on from there. */
export async function applyFeeds(parts: FeedParts, changes: readonly FeedChange[]): Promise<void> {
  for (const { action, dagId } of changes) {
    if (action === 'create' || action === 'update') await put(parts, dagId);
    if (action === 'remove') await remove(parts, dagId);
  }
}
