import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { carriedInstances } from '../activities/resume-run.ts';
import { newInstance } from '../dag/instances.ts';
import type { Plan } from '../dag/plan.ts';
import type { InstanceKey, OperatorChange, RunFacts, RunProgress, TaskInstance } from '../dag/reducer.ts';
import { resumeRun } from '../dag/resume.ts';
import { RetryableError, TerminalError } from '../ports/errors.ts';
import type { AttemptRecord, Ledger, RunRecord } from '../ports/ledger.ts';
import type { RunView, TaskView } from '../ports/run-steps.ts';
import { handleOf, progressOf, startRun, type RunHandle } from './client.ts';

/** A run as it stands: an open one says so itself, a closed one as a run that carries on from it would begin. */
export interface Standing {
  readonly plan: Plan;
  readonly progress: RunProgress;
}

const milliseconds = (instant: string | null): number | null =>
  instant === null ? null : Date.parse(instant);

function instanceOf({ key, taskId, state, attempt, waitingFor, failure, ...times }: TaskView): TaskInstance {
  const index = /\[(\d+)\]$/.exec(key);
  return {
    key,
    taskId,
    mapIndex: index === null ? null : Number(index[1]),
    state,
    attempt,
    failures: 0,
    conflicts: 0,
    output: null,
    failure,
    waitingFor,
    scheduledAt: milliseconds(times.scheduledAt),
    endedAt: milliseconds(times.endedAt),
  };
}

/** The progress a run's own view tells of; outputs are not part of it. */
function progressOfView(facts: RunFacts, view: RunView): RunProgress {
  return {
    facts,
    instances: Object.fromEntries(view.tasks.map((task) => [task.key, instanceOf(task)])),
    cancelRequested: view.cancelRequested,
    ...(view.held ? { held: true as const } : {}),
    outcome: view.state === 'running' ? null : view.state,
  };
}

function factsOf(run: RunRecord): RunFacts {
  return {
    run: { id: run.runId, type: run.type },
    interval: { start: run.intervalStart, end: run.intervalEnd, logicalDate: run.logicalDate },
    params: run.params,
  };
}

async function planOf(ledger: Ledger, run: RunRecord): Promise<Plan> {
  const plan = await ledger.plan(run.planHash);
  if (plan !== null) return plan;
  throw new TerminalError({
    place: `run ${run.runId}`,
    expected: `plan ${run.planHash} in the ledger`,
    found: 'none',
    remedy: 'The ledger is damaged: restore it from a backup.',
  });
}

/** The progress the ledger knows of; what waits is not part of it. */
export function progressOfRecords(
  plan: Plan,
  run: RunRecord,
  attempts: readonly AttemptRecord[],
): RunProgress {
  const instances: Record<InstanceKey, TaskInstance> = {};
  for (const { id } of plan.tasks) instances[id] = newInstance(id, null);
  for (const each of carriedInstances(attempts)) {
    const fresh = newInstance(each.taskId, each.mapIndex);
    instances[fresh.key] = { ...fresh, ...each };
  }
  return {
    facts: factsOf(run),
    instances,
    cancelRequested: run.state === 'cancelled',
    ...(run.held ? { held: true as const } : {}),
    outcome: run.state === 'running' ? null : run.state,
  };
}

/** A view of a large run shows what needs attention; the rest is as the ledger has it. */
export async function wholeProgress(
  ledger: Ledger,
  plan: Plan,
  run: RunRecord,
  view: RunView,
): Promise<RunProgress> {
  const shown = progressOfView(view.facts ?? factsOf(run), view);
  if (view.counts === undefined) return shown;
  const recorded = progressOfRecords(plan, run, await ledger.attempts(run.runId));
  return { ...shown, instances: { ...recorded.instances, ...shown.instances } };
}

/** Throws RetryableError when no worker answers for an open run. */
export async function standingOf(client: Client, ledger: Ledger, run: RunRecord): Promise<Standing> {
  const plan = await planOf(ledger, run);
  if (run.state !== 'running') {
    const earlier = { outcome: run.state, instances: carriedInstances(await ledger.attempts(run.runId)) };
    return { plan, progress: resumeRun(plan, factsOf(run), earlier) };
  }
  const view = await progressOf(client, run);
  if (view !== null) return { plan, progress: await wholeProgress(ledger, plan, run, view) };
  throw new RetryableError({
    place: run.workflowId,
    expected: 'a worker to answer for the run',
    found: 'none',
    remedy: 'Start one (`ingot worker`, or `ingot dev`), and ask again.',
  });
}

const updates = {
  tasks_cleared: 'clearTasks',
  task_marked: 'markTask',
  approval_answered: 'answerApproval',
} as const satisfies Record<OperatorChange['type'], string>;

function refused(run: RunHandle, error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError)
    return new TerminalError(
      {
        place: run.workflowId,
        expected: 'an open run',
        found: 'one whose execution has ended',
        remedy: 'Ask again in a moment, when the ledger has heard of it.',
      },
      { cause: error },
    );
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure))
    return error;
  return new TerminalError(
    {
      place: run.workflowId,
      expected: 'a change that fits the run as it stands by now',
      found: error.cause.message,
      remedy: 'Look at it with `ingot runs show`.',
    },
    { cause: error },
  );
}

/** Changes an open run in place. Answers the instances whose state changed. Throws TerminalError when the run refuses. */
export async function changeOpenRun(
  client: Client,
  run: RunHandle,
  change: OperatorChange,
): Promise<readonly InstanceKey[]> {
  try {
    return await handleOf(client, run).executeUpdate<readonly InstanceKey[], [OperatorChange]>(
      updates[change.type],
      { args: [change] },
    );
  } catch (error) {
    throw refused(run, error);
  }
}

/** Starts a closed run again, with its own plan and params, after the change. It belongs to no backfill any more. */
export function restartRun(
  client: Client,
  taskQueue: string,
  run: RunRecord,
  change: OperatorChange,
): Promise<RunHandle> {
  return startRun(client, {
    taskQueue,
    dagId: run.dagId,
    interval: { start: run.intervalStart, end: run.intervalEnd },
    type: run.type === 'backfill' ? 'manual' : run.type,
    params: run.params,
    resume: { runId: run.runId, change },
  });
}
