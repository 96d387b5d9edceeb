import { runWorkflowId } from '../dag/interval.ts';
import { previousInterval, settledPast, type PastSeen, type PreviousRun } from '../dag/past.ts';
import type { Ledger, RunRecord } from '../ports/ledger.ts';
import type { PastRequest, PastSteps } from '../ports/past.ts';
import { step } from './run-steps.ts';

/** What the ledger says of the previous interval’s run to tasks that wait for it. */
export async function lookAtPast(ledger: Ledger, { runId, taskIds }: PastRequest): Promise<PastSeen> {
  const run = await ledger.run(runId);
  const plan = run === null ? null : await ledger.plan(run.planHash);
  if (run === null || plan === null) throw new Error(`The ledger holds no run ${runId}, or no plan of it.`);
  const interval = previousInterval(plan, run.intervalStart);
  const nothing: PreviousRun = {
    dagId: run.dagId,
    workflowId: '',
    interval: { start: run.intervalStart, end: run.intervalStart },
    runId: null,
    state: null,
  };
  if (interval === null) return { settled: 'all', previous: nothing, tasks: {} };
  const { start, end } = interval;
  const workflowId = runWorkflowId(run.dagId, interval);
  const [latest] = await ledger.runs({ workflowId, limit: 1 });
  const previous: PreviousRun = { ...nothing, workflowId, interval: { start, end }, ...standingOf(latest) };
  const [tasks, known] =
    latest === undefined
      ? [new Map<string, never>(), new Set<string>()]
      : [await ledger.taskStates(latest.runId, taskIds), await taskIdsOf(ledger, latest)];
  return settledPast({ previous, tasks, known }, taskIds);
}

function standingOf(run: RunRecord | undefined): Pick<PreviousRun, 'runId' | 'state'> {
  if (run === undefined) return { runId: null, state: null };
  return { runId: run.runId, state: run.queued ? 'queued' : run.state };
}

async function taskIdsOf(ledger: Ledger, { planHash }: RunRecord): Promise<ReadonlySet<string>> {
  return new Set((await ledger.plan(planHash))?.tasks.map(({ id }) => id));
}

/** What runs that depend on the past ask of the ledger. May be repeated. */
export function createPastSteps(ledger: Ledger): PastSteps {
  return { 'ingot.lookAtPast': (request) => step(() => lookAtPast(ledger, request)) };
}
