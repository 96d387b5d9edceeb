import {
  CancellationScope,
  CancelledFailure,
  setCurrentDetails,
  setHandler,
  defineQuery,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunRequest, RunSummary, RunView } from '../ports/run-steps.ts';
import { awaitTurn, wake } from './admission.ts';
import { Alerts } from './alerts.ts';
import { beginRun } from './begin-run.ts';
import { runFailure } from './failures.ts';
import { acceptChanges } from './operating.ts';
import { wakeFollowers } from './past-watch.ts';
import { endedAttributes, missingAttributes, stateAttributes } from './search-attributes.ts';
import { detailsTable, runSummary, runView, unbegunView, waitingView } from './view.ts';
import { Walk } from './walk.ts';

const progressQuery = defineQuery<RunView>('progress');

/** Every run of every DAG: asks for the plan, then performs what the reducer commands until it says that the run is over. */
export async function runDag(request: RunRequest): Promise<RunSummary> {
  const { workflowType, workflowId, firstExecutionRunId, typedSearchAttributes } = workflowInfo();
  let current: Parameters<typeof acceptChanges>[0] = () => null;
  acceptChanges(() => current());
  setHandler(progressQuery, () => unbegunView(workflowType, firstExecutionRunId));
  const begun = await beginRun(request);
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
    const alerts = new Alerts(begun);
    alerts.begin();
    setHandler(progressQuery, () =>
      waitingView(workflowType, firstExecutionRunId, planHash, 'its turn under maxActiveRuns'),
    );
    if (admission !== undefined) await awaitTurn(firstExecutionRunId, admission, () => cancelled);
    alerts.started();
    const walk = new Walk(begun, alerts, {
      recorded: (progress) => setCurrentDetails(detailsTable(workflowId, progress)),
      held: (held) => upsertSearchAttributes(stateAttributes(held ? 'held' : 'running')),
    });
    current = () => ({ begun, walk });
    setHandler(progressQuery, () => runView(plan, planHash, walk.progress));
    cancelRequested.catch(() => walk.cancel());
    const { outcome, failures, nextQueued, followers } = await walk.end();
    upsertSearchAttributes(endedAttributes(planHash, outcome));
    if (nextQueued !== undefined) await wake(nextQueued);
    if (followers !== undefined) await wakeFollowers(followers);
    if (outcome === 'success') return runSummary(planHash, walk.progress);
    if (outcome === 'cancelled') throw new CancelledFailure('The run was cancelled.');
    throw runFailure(walk.progress, failures);
  });
}
