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
import type { RunProgress } from '../dag/reducer.ts';
import type { CarriedRun, RunRequest, RunSummary, RunView } from '../ports/run-steps.ts';
import { awaitTurn, wake } from './admission.ts';
import { beginRun, type KnownRun } from './begin-run.ts';
import { loadPlan, unpack } from './carry.ts';
import { runFailure } from './failures.ts';
import { endedAttributes, missingAttributes } from './search-attributes.ts';
import { detailsTable, runSummary, runView, unbegunView, waitingView } from './view.ts';
import { Walk } from './walk.ts';

const progressQuery = defineQuery<RunView>('progress');

/** A table of thousands of instances is drawn anew at most this often. */
const largeRun = 1000;
const largeTableMs = 10_000;

/** Every run of every DAG: asks for the plan, then performs what the reducer commands until it says that the run is over. */
export async function runDag(request: RunRequest, carried?: CarriedRun): Promise<RunSummary> {
  const { workflowType, firstExecutionRunId, typedSearchAttributes } = workflowInfo();
  setHandler(progressQuery, () =>
    carried === undefined
      ? unbegunView(workflowType, firstExecutionRunId)
      : waitingView(workflowType, firstExecutionRunId, carried.planHash, null),
  );
  const begun: TakenOver = await (carried === undefined
    ? beginRun(request)
    : takeOver(firstExecutionRunId, carried));
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
    setHandler(progressQuery, () =>
      waitingView(workflowType, firstExecutionRunId, planHash, 'its turn under maxActiveRuns'),
    );
    if (admission !== undefined) await awaitTurn(firstExecutionRunId, admission, () => cancelled);
    const { continueAfter } = request;
    const walk = new Walk({
      begun,
      carried: begun.carried ?? null,
      continueAfter,
      onRecord: tableDrawer(() => walk),
    });
    setHandler(progressQuery, () => runView(plan, planHash, walk.progress));
    cancelRequested.catch(() => walk.cancel());
    const end = await walk.end();
    if (end.type === 'continue_as_new') {
      const { revision, progress } = end;
      return continueAsNew<typeof runDag>(request, { planHash, revision, progress });
    }
    const { outcome, failures, nextQueued } = end;
    upsertSearchAttributes(endedAttributes(planHash, outcome));
    if (nextQueued !== undefined) await wake(nextQueued);
    if (outcome === 'success') return runSummary(planHash, walk.progress);
    if (outcome === 'cancelled') throw new CancelledFailure('The run was cancelled.');
    throw runFailure(walk.progress, failures);
  });
}

type TakenOver = KnownRun & {
  readonly carried?: { readonly progress: RunProgress; readonly revision: number };
};

/** Goes on where the execution before this one left the run. */
async function takeOver(runId: string, carried: CarriedRun): Promise<TakenOver> {
  const { planHash, revision } = carried;
  const plan = await loadPlan(planHash);
  const progress = await unpack(runId, carried);
  return { known: true, plan, planHash, facts: progress.facts, carried: { progress, revision } };
}

function tableDrawer(walk: () => Walk): () => void {
  let drawnAt = 0;
  return () => {
    const { states, progress } = walk();
    const size = [...states.values()].reduce((sum, count) => sum + count, 0);
    if (size > largeRun && progress.outcome === null && Date.now() - drawnAt < largeTableMs) return;
    drawnAt = Date.now();
    setCurrentDetails(detailsTable(progress));
  };
}
