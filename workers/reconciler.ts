import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { RunOutcome, TaskState } from '../dag/plan.ts';
import type { Failure } from '../dag/reducer.ts';
import { RetryableError } from '../ports/errors.ts';
import type { AttemptRecord, Ledger, RunRecord } from '../ports/ledger.ts';

import type { TellFailure } from './run-alerts.ts';

export interface ReconciledRun {
  readonly run: RunRecord;
  readonly outcome: RunOutcome;
  /** What Temporal says of the execution: its status in lower case, or `not found`. */
  readonly execution: string;
}

interface Ending {
  readonly outcome: ReconciledRun['outcome'];
  readonly execution: string;
  readonly endedAt: string;
}

const outcomes: Readonly<Record<string, ReconciledRun['outcome']>> = {
  COMPLETED: 'success',
  CANCELLED: 'cancelled',
};

const openStates: ReadonlySet<TaskState> = new Set([
  'none',
  'scheduled',
  'running',
  'waiting',
  'up_for_retry',
]);

/** Runs asked about at the same time. */
const atOnce = 10;

async function describe(client: Client, workflowId: string, runId?: string) {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw new RetryableError(
      {
        place: `run ${workflowId}`,
        expected: 'Temporal to describe the execution',
        found: error instanceof Error ? error.message : String(error),
        remedy: 'Check that the Temporal server can be reached; the next round asks again.',
      },
      { cause: error },
    );
  }
}

/** How the execution ended, or null while it goes on. The newest of a workflow id may have continued the run as new. */
async function endingOf(client: Client, run: RunRecord, now: () => number): Promise<Ending | null> {
  const newest = await describe(client, run.workflowId);
  const continues = newest?.raw.workflowExecutionInfo?.firstRunId === run.runId;
  const execution = continues ? newest : await describe(client, run.workflowId, run.runId);
  if (execution === null)
    return { outcome: 'failed', execution: 'not found', endedAt: new Date(now()).toISOString() };
  const status = execution.status.name;
  if (execution.closeTime === undefined) return null;
  return {
    outcome: outcomes[status] ?? 'failed',
    execution: status.toLowerCase().replaceAll('_', ' '),
    endedAt: execution.closeTime.toISOString(),
  };
}

function closed(attempt: AttemptRecord, ending: Ending, failure: Failure): AttemptRecord {
  return { ...attempt, state: 'failed', endedAt: ending.endedAt, failure };
}

/** The event before the run's end: killed in between, the next round finds the run still open and goes on from there. */
async function closeRun(ledger: Ledger, run: RunRecord, ending: Ending, tell: TellFailure): Promise<void> {
  const failure: Failure = {
    type: 'ExecutionEnded',
    message: `The execution ended (${ending.execution}) without the run saying so.`,
    retryable: true,
  };
  const unfinished = (await ledger.attempts(run.runId)).filter((attempt) => openStates.has(attempt.state));
  await ledger.recordAttempts(
    run.runId,
    unfinished.map((attempt) => closed(attempt, ending, failure)),
    [
      {
        key: `run:${run.runId}:reconciled`,
        kind: 'run_reconciled',
        at: ending.endedAt,
        payload: {
          runId: run.runId,
          workflowId: run.workflowId,
          dagId: run.dagId,
          outcome: ending.outcome,
          execution: ending.execution,
        },
      },
    ],
  );
  const task = unfinished[0]?.taskId ?? '';
  // Also before the end, for the same reason: a closed run is not looked at again.
  if (ending.outcome === 'failed') await tell(run, { ...failure, task }, ending.endedAt);
  await ledger.endRun(
    run.runId,
    ending.outcome,
    ending.endedAt,
    ending.outcome === 'failed' ? { ...failure, task } : null,
  );
}

async function reconcile(
  ledger: Ledger,
  client: Client,
  run: RunRecord,
  now: () => number,
  tell: TellFailure,
): Promise<ReconciledRun | null> {
  const ending = await endingOf(client, run, now);
  if (ending === null) return null;
  // The execution may have told the ledger between the listing and now.
  if ((await ledger.run(run.runId))?.state !== 'running') return null;
  await closeRun(ledger, run, ending, tell);
  return { run, outcome: ending.outcome, execution: ending.execution };
}

async function openRuns(ledger: Ledger, only: readonly string[] | undefined): Promise<readonly RunRecord[]> {
  if (only === undefined) return ledger.runs({ state: 'running', limit: 100_000 });
  const runs = await Promise.all(only.map((runId) => ledger.run(runId)));
  return runs.filter((run) => run?.state === 'running') as readonly RunRecord[];
}

/**
 * Closes the ledger's open runs whose execution is closed or gone, with one event `run_reconciled` each, and answers
 * them. May be called at any time and by several workers. Throws RetryableError when Temporal cannot be asked.
 */
export async function reconcileRuns({
  ledger,
  client,
  now = Date.now,
  only,
  tell = async () => {},
}: {
  readonly ledger: Ledger;
  readonly client: Client;
  readonly now?: () => number;
  /** Ids of the runs to look at; all that are open unless given. */
  readonly only?: readonly string[];
  /** Raises the alert of a failed run; called before the run is closed, and again when that was cut short. */
  readonly tell?: TellFailure;
}): Promise<readonly ReconciledRun[]> {
  const open = await openRuns(ledger, only);
  const found: ReconciledRun[] = [];
  for (let start = 0; start < open.length; start += atOnce) {
    const some = open.slice(start, start + atOnce);
    const results = await Promise.all(some.map((run) => reconcile(ledger, client, run, now, tell)));
    found.push(...results.filter((result) => result !== null));
  }
  return found;
}
