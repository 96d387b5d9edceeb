import {
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  defineQuery,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { CarriedRun, RunRequest, RunSummary, RunView } from '../ports/run-steps.ts';
import { awaitTurn, wake } from './admission.ts';
import { Alerts } from './alerts.ts';
import { beginRun, type KnownRun } from './begin-run.ts';
import { loadPlan, unpack } from './carry.ts';
import { runFailure } from './failures.ts';
import { acceptChanges } from './operating.ts';
import { wakeFollowers } from './past-watch.ts';
import { endedAttributes, missingAttributes, stateAttributes } from './search-attributes.ts';
import { detailsTable, runSummary, runView, unbegunView, waitingView } from './view.ts';
import { Walk, type WalkSetting } from './walk.ts';

const progressQuery = defineQuery<RunView>('progress');

/** A table of thousands of instances is drawn anew at most this often. */
const largeRun = 1000;
const largeTableMs = 10_000;

/** Every run of every DAG: asks for the plan, then performs what the reducer commands until it says that the run is over. */
export async function runDag(request: RunRequest, carriedRun?: CarriedRun): Promise<RunSummary> {
  const { workflowType, firstExecutionRunId, typedSearchAttributes } = workflowInfo();
  let current: Parameters<typeof acceptChanges>[0] = () => null;
  acceptChanges(() => current(), { isBegun: carriedRun !== undefined });
  setHandler(progressQuery, () =>
    carriedRun === undefined
      ? unbegunView(workflowType, firstExecutionRunId)
      : waitingView(workflowType, firstExecutionRunId, carriedRun.planHash, null),
  );
  const { begun, carried } = await (carriedRun === undefined
    ? beginRun(request).then((known) => ({ begun: known, carried: null }))
    : CancellationScope.nonCancellable(() => takeOver(firstExecutionRunId, carriedRun)));
  const { plan, planHash, admission } = begun;
  const missing = missingAttributes(begun, typedSearchAttributes);
  if (missing.length > 0) upsertSearchAttributes(missing);

  const { cancelRequested } = CancellationScope.current();
  // From here on cancellation is an event like any other: the run ends in order, and the ledger hears of it.
  return CancellationScope.nonCancellable(async () => {
    let cancelled = false;
    cancelRequested.catch(() => {
      cancelled = true;
    });
    const alerts = new Alerts(begun, carried?.alerts, carried?.progress);
    alerts.begin();
    setHandler(progressQuery, () =>
      waitingView(workflowType, firstExecutionRunId, planHash, 'its turn under maxActiveRuns'),
    );
    if (admission !== undefined) await awaitTurn(firstExecutionRunId, admission, () => cancelled);
    alerts.started();
    const listener = {
      shown: tableDrawer(() => walk),
      held: (held: boolean) => upsertSearchAttributes(stateAttributes(held ? 'held' : 'running')),
    };
    const { continueAfter } = request;
    const walk = new Walk({ begun, carried, continueAfter, alerts, listener });
    current = () => ({ begun, walk });
    setHandler(progressQuery, () => runView(plan, planHash, walk.progress, walk.jobs));
    cancelRequested.catch(() => walk.cancel());
    const end = await walk.end();
    if (end.type === 'continue_as_new') {
      const { type: _, ...next } = end;
      return continueAsNew<typeof runDag>(request, { planHash, ...next });
    }
    const { outcome, failures, nextQueued, followers } = end;
    upsertSearchAttributes(endedAttributes(planHash, outcome));
    if (nextQueued !== undefined) await wake(nextQueued);
    if (followers !== undefined) await wakeFollowers(followers);
    if (outcome === 'success') return runSummary(planHash, walk.progress);
    if (outcome === 'cancelled') throw new CancelledFailure('The run was cancelled.');
    throw runFailure(walk.progress, failures);
  });
}

type TakenOver = Pick<WalkSetting, 'carried'> & { readonly begun: KnownRun };

/** Goes on where the execution before this one left the run. */
async function takeOver(runId: string, carried: CarriedRun): Promise<TakenOver> {
  const { planHash } = carried;
  const plan = await loadPlan(planHash);
  const progress = await unpack(runId, carried);
  const { facts } = progress;
  return { begun: { known: true, plan, planHash, facts }, carried: { ...carried, progress } };
}

function tableDrawer(walk: () => Walk): () => void {
  const { workflowId } = workflowInfo();
  let drawnAt = 0;
  return () => {
    const { states, progress, jobs } = walk();
    const size = [...states.values()].reduce((sum, count) => sum + count, 0);
    if (size > largeRun && progress.outcome === null && Date.now() - drawnAt < largeTableMs) return;
    drawnAt = Date.now();
    setCurrentDetails(detailsTable(workflowId, progress, jobs));
  };
}
