import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  ParentClosePolicy,
  proxyLocalActivities,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { runWorkflowId } from '../dag/interval.ts';
import type { IntervalBounds } from '../dag/backfill.ts';
import { advanceBackfill } from '../dag/backfill-reducer.ts';
import type {
  BackfillCommand,
  BackfillEvent,
  BackfillOutcome,
  BackfillProgress,
} from '../dag/backfill-reducer.ts';
import type { BackfillRequest, BackfillSteps } from '../ports/backfill.ts';
import type { RunRequest } from '../ports/run-steps.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';
import { backfillRunAttributes } from './search-attributes.ts';

type Happening = BackfillEvent extends infer Event
  ? Event extends BackfillEvent
    ? Omit<Event, 'at'>
    : never
  : never;
type Ask = Extract<BackfillCommand, { type: 'ask' }>;
type End = Extract<BackfillCommand, { type: 'continue_as_new' | 'finish' }>;

const messageLength = 500;

const { 'ingot.askBackfill': ask } = proxyLocalActivities<Pick<BackfillSteps, 'ingot.askBackfill'>>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

function endingOf(error: unknown): { readonly outcome: BackfillOutcome; readonly message: string } {
  if (!(error instanceof ChildWorkflowFailure)) throw error;
  const { cause } = error;
  if (cause instanceof CancelledFailure) return { outcome: 'cancelled', message: 'the run was cancelled' };
  const message = cause instanceof ApplicationFailure ? cause.message : (cause?.message ?? error.message);
  return { outcome: 'failed', message: message.slice(0, messageLength) };
}

/** Performs the reducer's commands and tells it what happened, until it finishes or continues as new. */
export class BackfillWalk {
  readonly #request: BackfillRequest;
  readonly #end = Promise.withResolvers<End>();
  /** Around every run: what is cancelled here reaches them all. */
  readonly #runs = new CancellationScope();
  /** What came before there was any progress to tell it to. */
  readonly #early: Happening[] = [];
  #progress: BackfillProgress | null = null;

  constructor(request: BackfillRequest) {
    this.#request = request;
  }

  get progress(): BackfillProgress | null {
    return this.#progress;
  }

  async from(progress: BackfillProgress): Promise<End> {
    this.#progress = progress;
    for (const happening of this.#early) this.tell(happening);
    this.tell({ type: 'begun' });
    return this.#end.promise;
  }

  tell(happening: Happening): void {
    if (this.#progress === null) return void this.#early.push(happening);
    try {
      const { progress, commands } = advanceBackfill(this.#progress, { ...happening, at: Date.now() });
      this.#progress = progress;
      for (const command of commands) this.#perform(command);
    } catch (error) {
      // A defect of the reducer: the workflow task fails and is tried again with the next release, nothing is lost.
      this.#end.reject(error);
    }
  }

  #perform(command: BackfillCommand): void {
    switch (command.type) {
      case 'ask':
        return this.#ask(command);
      case 'start_run':
        return this.#start(command.interval);
      case 'cancel_runs':
        return this.#runs.cancel();
      case 'continue_as_new':
      case 'finish':
        return this.#end.resolve(command);
    }
  }

  #ask({ records, paused, revision, cursor, free }: Ask): void {
    setCurrentDetails(this.#details());
    const { firstExecutionRunId: backfillId } = workflowInfo();
    const request = this.#request;
    // Asked also on behalf of a run whose scope was cancelled.
    CancellationScope.nonCancellable(() =>
      ask({ backfillId, request, records, paused, revision, cursor, free }),
    )
      .then((answer) => this.tell({ type: 'answered', ...answer }))
      .catch((error: unknown) => this.#end.reject(error));
  }

  #start(interval: IntervalBounds): void {
    this.#runs.run(() => this.#run(interval)).catch((error: unknown) => this.#end.reject(error));
  }

  async #run({ start, end }: IntervalBounds): Promise<void> {
    const { dagId, params, skipUnchanged } = this.#request;
    const request: RunRequest = {
      type: 'backfill',
      interval: { start, end },
      params,
      ...(skipUnchanged === true ? { skipUnchanged } : {}),
    };
    try {
      const child = await startChild(dagId, {
        workflowId: runWorkflowId(dagId, { end }),
        args: [request],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        // Whoever ends this workflow by force ends its runs in order.
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        typedSearchAttributes: backfillRunAttributes(dagId, start, workflowInfo().firstExecutionRunId),
        staticSummary: `${dagId} ${start.slice(0, 10)} (backfill)`,
        staticDetails: `Data interval \`${start}\` to \`${end}\``,
      });
      this.tell({ type: 'run_started', start, runId: child.firstExecutionRunId });
      await child.result();
      this.tell({ type: 'run_ended', start, outcome: 'success', message: null });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) this.tell({ type: 'run_refused', start });
      else if (isCancellation(error))
        this.tell({ type: 'run_ended', start, outcome: 'cancelled', message: 'the run was cancelled' });
      else this.tell({ type: 'run_ended', start, ...endingOf(error) });
    }
  }

  /** The backfill at a glance, for the Temporal UI. */
  #details(): string {
    const { counts, active, paused, cancelRequested, unsuccessful } = this.#progress!;
    const state = cancelRequested ? 'cancelling' : paused ? 'paused' : 'running';
    const numbers = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    const failed = unsuccessful.map((start) => `- ${start}`);
    return [
      `${state}: ${Object.keys(active).length} active, ${numbers.join(', ')}`,
      ...(failed.length > 0 ? ['', 'without success:', '', ...failed] : []),
    ].join('\n');
  }
}
