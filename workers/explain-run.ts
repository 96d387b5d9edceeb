import type { Client } from '@temporalio/client';
import { explain, type Explanation } from '../dag/explain.ts';
import { failuresOf } from '../dag/outcome.ts';
import type { Plan, RunState, TaskState } from '../dag/plan.ts';
import type { Failure, InstanceKey, RunProgress } from '../dag/reducer.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { Ledger, RunRecord } from '../ports/ledger.ts';
import type { RunView } from '../ports/run-steps.ts';
import { describeRun, progressOf } from './client.ts';
import { progressOfRecords, wholeProgress } from './operate.ts';
import { queuePollers, type QueuePollers } from './queue-pollers.ts';
import { unpolledTasks, type UnpolledTasks } from './task-queues.ts';

/** Why a run as a whole is where it is. More kinds may come. */
export type RunReason =
  | { readonly kind: 'no_worker_polls'; readonly taskQueue: string; readonly lastSeenAt: string | null }
  | ({ readonly kind: 'queue_not_polled' } & UnpolledTasks)
  | { readonly kind: 'no_worker_knows_dag' }
  | { readonly kind: 'no_worker_answers' }
  | {
      readonly kind: 'max_active_runs';
      readonly maxActiveRuns: number;
      /** Workflow ids of the runs that have their turn. */
      readonly active: readonly string[];
      /** Runs that began to wait before. */
      readonly ahead: number;
    }
  | { readonly kind: 'held'; readonly failed: readonly InstanceKey[] }
  | { readonly kind: 'cancelling' }
  | { readonly kind: 'ended'; readonly state: RunState; readonly at: string | null };

/** What Temporal says of the activity of an attempt that is under way. */
export interface PendingAttempt {
  readonly state: 'no worker has taken it' | 'on a worker' | 'being stopped';
  readonly worker: string | null;
  /** Tries at the infrastructure's expense, and why the last one failed. */
  readonly tries: number;
  readonly lastFailure: string | null;
}

export interface ExplainedTask {
  readonly key: InstanceKey;
  readonly state: TaskState;
  readonly attempt: number;
  readonly explanation: Explanation;
  readonly failure: Failure | null;
  readonly pending: PendingAttempt | null;
  /** Runs elsewhere, and its attempt waits for it away from any worker. */
  readonly job: ExternalJob | null;
}

export interface ExplainedRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly reasons: readonly RunReason[];
  readonly tasks: readonly ExplainedTask[];
}

interface Asked {
  readonly client: Client;
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly taskQueue: string;
}

/** Runs that stand before this one under its DAG's `maxActiveRuns`. */
export async function turnOf(
  ledger: Ledger,
  run: RunRecord,
): Promise<Omit<Extract<RunReason, { kind: 'max_active_runs' }>, 'kind'>> {
  const [open, plan] = await Promise.all([
    ledger.runs({ dagId: run.dagId, state: 'running', limit: 10_000 }),
    ledger.plan(run.planHash),
  ]);
  const others = open.filter((other) => other.type !== 'backfill' && other.runId !== run.runId);
  return {
    maxActiveRuns: plan?.maxActiveRuns ?? 0,
    active: others.filter((other) => !other.queued).map((other) => other.workflowId),
    ahead: others.filter((other) => other.queued && other.startedAt < run.startedAt).length,
  };
}

const pendingStates: Readonly<Record<number, PendingAttempt['state']>> = {
  1: 'no worker has taken it',
  2: 'on a worker',
  3: 'being stopped',
};

/** By activity type; those of a mapped task cannot be told apart and are left out. */
async function pendingAttempts(client: Client, run: RunRecord): Promise<ReadonlyMap<string, PendingAttempt>> {
  const raw = await describeRun(client, run);
  const found = new Map<string, PendingAttempt | null>();
  for (const each of raw?.pendingActivities ?? []) {
    const type = each.activityType?.name ?? '';
    const pending: PendingAttempt = {
      state: pendingStates[each.state ?? 0] ?? 'no worker has taken it',
      worker: each.lastWorkerIdentity || null,
      tries: each.attempt ?? 1,
      lastFailure: each.lastFailure?.message ?? null,
    };
    found.set(type, found.has(type) ? null : pending);
  }
  return new Map([...found].flatMap(([type, pending]) => (pending === null ? [] : [[type, pending]])));
}

function tasksOf(
  plan: Plan,
  progress: RunProgress,
  pending: ReadonlyMap<string, PendingAttempt>,
  view: RunView | null = null,
): readonly ExplainedTask[] {
  const jobs = new Map(view?.tasks.map(({ key, job }) => [key, job]));
  return Object.values(progress.instances).map(({ key, taskId, state, attempt, failure }) => ({
    key,
    state,
    attempt,
    explanation: explain(plan, progress, key),
    failure,
    // A mapped task has no attempt of its own.
    pending: state === 'running' && attempt > 0 ? (pending.get(`${plan.dagId}.${taskId}`) ?? null) : null,
    job: jobs.get(key) ?? null,
  }));
}

async function reasonsOf(
  { client, ledger }: Asked,
  run: RunRecord,
  pollers: QueuePollers,
  view: RunView | null,
): Promise<readonly RunReason[]> {
  const { taskQueue, lastSeenAt } = pollers;
  const reasons: RunReason[] = [];
  if (pollers.workers.length === 0) reasons.push({ kind: 'no_worker_polls', taskQueue, lastSeenAt });
  else if (view === null) reasons.push({ kind: 'no_worker_answers' });
  if (view?.waitingFor === 'a worker that knows the DAG') reasons.push({ kind: 'no_worker_knows_dag' });
  for (const each of await unpolledTasks(client, ledger, run))
    reasons.push({ kind: 'queue_not_polled', ...each });
  if (run.queued) reasons.push({ kind: 'max_active_runs', ...(await turnOf(ledger, run)) });
  if (view?.cancelRequested) reasons.push({ kind: 'cancelling' });
  return reasons;
}

async function explainOpen(asked: Asked, run: RunRecord, plan: Plan): Promise<ExplainedRun> {
  const { client, namespace, ledger, taskQueue } = asked;
  const pollers = await queuePollers(client, namespace, taskQueue);
  const view = pollers.workers.length === 0 ? null : await progressOf(client, run);
  const progress =
    view === null || view.facts === null
      ? progressOfRecords(plan, run, await ledger.attempts(run.runId))
      : await wholeProgress(ledger, plan, run, view);
  const reasons = await reasonsOf(asked, run, pollers, view);
  const held: RunReason[] =
    run.held || progress.held ? [{ kind: 'held', failed: failuresOf(progress.instances) }] : [];
  const pending = await pendingAttempts(client, run);
  return {
    runId: run.runId,
    workflowId: run.workflowId,
    reasons: [...reasons, ...held],
    tasks: tasksOf(plan, progress, pending, view),
  };
}

/** Why a run, and every task of it, is where it is: from the run itself while it is open, else from the ledger. */
export async function explainRun(asked: Asked, run: RunRecord): Promise<ExplainedRun> {
  const { ledger } = asked;
  const plan = await ledger.plan(run.planHash);
  if (plan === null)
    throw new Error(`The ledger holds no plan ${run.planHash}, which run ${run.runId} was begun with.`);
  if (run.state === 'running') return explainOpen(asked, run, plan);
  const progress = progressOfRecords(plan, run, await ledger.attempts(run.runId));
  return {
    runId: run.runId,
    workflowId: run.workflowId,
    reasons: [{ kind: 'ended', state: run.state, at: run.endedAt }],
    tasks: tasksOf(plan, progress, new Map()),
  };
}
