import {
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  defineSignal,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { runWorkflowId } from '../dag/interval.ts';
import type { AssetSteps, DueAssetRuns, FeedRequest } from '../ports/assets.ts';
import type { RunRequest } from '../ports/run-steps.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';
import { startAttributes } from './search-attributes.ts';

/** Says to a feed that there may be something to start. */
const wakeSignal = defineSignal('wake');

/** Runs that others started end without telling the feed: it looks by itself, ever more rarely. */
const firstLookMs = 2000;
/** History of one execution: about ten events for each look and each run started. */
const eventsPerExecution = 2000;

const steps = proxyLocalActivities<AssetSteps>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

type DueRun = Extract<DueAssetRuns, { state: 'in_force' }>['runs'][number];

/** The runs this execution started and that go on. */
class FedRuns {
  readonly #dagId: string;
  readonly #onEnd: () => void;
  readonly open = new Set<string>();

  constructor(dagId: string, onEnd: () => void) {
    this.#dagId = dagId;
    this.#onEnd = onEnd;
  }

  /** False when somebody's run of the interval is open: the events stay this run's, and it starts after that one. */
  async start({ number, interval }: DueRun): Promise<boolean> {
    const dagId = this.#dagId;
    const { start, end } = interval;
    const workflowId = runWorkflowId(dagId, interval);
    const request: RunRequest = { type: 'event', interval: { start, end }, params: {}, events: number };
    try {
      const child = await startChild(dagId, {
        workflowId,
        args: [request],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        typedSearchAttributes: startAttributes(dagId, 'event', start),
        staticSummary: `${dagId} ${start.slice(0, 10)} (event)`,
        staticDetails: `Data interval \`${start}\` to \`${end}\`, asset events of run ${number}`,
      });
      this.open.add(workflowId);
      const ended = (): void => {
        this.open.delete(workflowId);
        this.#onEnd();
      };
      child.result().then(ended, ended);
      return true;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return false;
    }
  }
}

/**
 * The asset feed of a DAG: wakes when something was published that the DAG waits for, and starts the runs that are due. Owns no rule
 * and no state: which events were given to which run is the ledger's, so an execution that is killed at any point loses and repeats nothing.
 */
export async function assetFeed(request: FeedRequest): Promise<void> {
  const { dagId, pollMs } = request;
  let woken = false;
  const wake = (): void => {
    woken = true;
  };
  setHandler(wakeSignal, wake);
  const runs = new FedRuns(dagId, wake);
  let lookMs = firstLookMs;
  for (;;) {
    woken = false;
    const found = await steps['ingot.dueAssetRuns']({ dagId, started: [...runs.open] });
    if (found.state === 'not_deployed') return;
    setCurrentDetails(found.state === 'paused' ? 'paused: events are kept' : '');
    let held = found.state === 'in_force' && found.more;
    if (found.state === 'in_force') for (const run of found.runs) held = !(await runs.start(run)) || held;
    if (workflowInfo().historyLength > eventsPerExecution && !woken)
      return continueAsNew<typeof assetFeed>(request);
    await condition(() => woken, held ? Math.min(lookMs, pollMs) : pollMs);
    lookMs = held && !woken ? 2 * lookMs : firstLookMs;
  }
}

/** Wakes the feeds of DAGs that wait for what has just happened. One that is not there needs no waking; one that misses it looks by itself. */
export async function wakeFeeds(dagIds: readonly string[]): Promise<void> {
  await Promise.all(
    dagIds.map((dagId) =>
      getExternalWorkflowHandle(`assets:${dagId}`)
        .signal(wakeSignal)
        .catch(() => undefined),
    ),
  );
}
