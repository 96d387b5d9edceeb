import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { runRefusedIncident } from '../dag/alerts.ts';
import type { Plan } from '../dag/plan.ts';
import type { OperatorChange } from '../dag/reducer.ts';
import type { EarlierRun } from '../dag/resume.ts';
import type { BegunRun, FailureDetails, RunRequest, RunSteps } from '../ports/run-steps.ts';
import { loadPlan, unpackEarlierRun } from './carry.ts';
import { raiseAlert } from './raise-alert.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';

/** A run that was begun, with its plan at hand. */
export type KnownRun = Omit<Extract<BegunRun, { known: true }>, 'resumed'> & {
  readonly plan: Plan;
  readonly resumed?: { readonly earlier: EarlierRun; readonly change: OperatorChange };
};

const local = proxyLocalActivities<Pick<RunSteps, 'ingot.beginRun'>>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});
// A worker keeps the runs it began, so one that lacks the DAG would be asked again and again: ask whoever is there.
const anyWorker = proxyActivities<Pick<RunSteps, 'ingot.beginRun'>>({
  startToCloseTimeout: stepTimeoutMs,
  retry: stepRetries,
  allowEagerDispatch: false,
  summary: 'looking for a worker that knows this DAG',
});

const firstPauseMs = 1000;
const longestPauseMs = 10_000;

/** The ledger or the params refuse the run: it ends with their own words. */
function refusal(error: unknown): unknown {
  return error instanceof ActivityFailure ? (error.cause ?? error) : error;
}

/** The run's first step: the DAG's current plan, recorded in the ledger and, by being an activity's result, in this run's own history. */
export function beginRun(request: RunRequest): Promise<KnownRun> {
  return begin(request).catch(async (error: unknown) => {
    const refused = refusal(error);
    if (refused instanceof ApplicationFailure) await tellRefusal(request, refused);
    throw refused;
  });
}

/** Nobody may be looking at who started it. A request that is none is refused without an alert. */
async function tellRefusal(request: RunRequest, refused: ApplicationFailure): Promise<void> {
  const [details] = (refused.details ?? []) as (FailureDetails | undefined)[];
  if (details?.alert === undefined) return;
  const { type, interval, params } = request;
  const { workflowType: dagId, workflowId, firstExecutionRunId: id } = workflowInfo();
  const failure = { type: refused.type ?? 'Error', message: refused.message, retryable: false };
  const facts = { run: { id, type }, interval: { ...interval, logicalDate: interval.start }, params };
  const incident = runRefusedIncident(details.alert, failure);
  await raiseAlert({ incident, dagId, workflowId, facts, at: new Date().toISOString() });
}

async function begin(request: RunRequest): Promise<KnownRun> {
  const { workflowType: dagId, workflowId, firstExecutionRunId: runId, startTime } = workflowInfo();
  const step = { dagId, workflowId, runId, startedAt: startTime.toISOString(), request };
  setCurrentDetails('Waiting for the ledger to take note of the run.');
  let begun = await uncut(() => local['ingot.beginRun'](step));
  for (let pauseMs = firstPauseMs; !begun.known; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    setCurrentDetails(`Waiting for a worker that knows the DAG \`${dagId}\`: none asked so far does.`);
    await sleep(pauseMs, { summary: `no worker knows ${dagId}` });
    begun = await uncut(() => anyWorker['ingot.beginRun'](step));
  }
  const known = begun;
  return uncut(() => withPlan(runId, known));
}

/** What the ledger took note of must be ended in it: a cancellation that comes meanwhile is heard after. */
const uncut = <T>(fn: () => Promise<T>): Promise<T> => CancellationScope.nonCancellable(fn);

async function withPlan(
  runId: string,
  { resumed, ...begun }: Extract<BegunRun, { known: true }>,
): Promise<KnownRun> {
  const plan = begun.plan ?? (await loadPlan(begun.planHash));
  if (resumed === undefined) return { ...begun, plan };
  return { ...begun, plan, resumed: { ...resumed, earlier: await unpackEarlierRun(runId, resumed.earlier) } };
}
