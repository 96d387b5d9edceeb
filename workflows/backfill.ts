import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { newBackfill, type BackfillProgress } from '../dag/backfill-reducer.ts';
import type { BackfillInput, BackfillRequest, BackfillSteps, BackfillSummary } from '../ports/backfill.ts';
import { BackfillWalk } from './backfill-walk.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';

const pauseSignal = defineSignal('pause');
const resumeSignal = defineSignal('resume');
const progressQuery = defineQuery<BackfillProgress | null>('progress');

const steps = proxyLocalActivities<Pick<BackfillSteps, 'ingot.beginBackfill' | 'ingot.endBackfill'>>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

async function begin(request: BackfillRequest): Promise<BackfillProgress> {
  const { firstExecutionRunId: backfillId, workflowId, startTime } = workflowInfo();
  const createdAt = startTime.toISOString();
  const cursor = await steps['ingot.beginBackfill']({ backfillId, workflowId, request, createdAt });
  return newBackfill(cursor, request);
}

function failure({ counts, unsuccessful }: BackfillProgress): ApplicationFailure {
  const { failed, cancelled } = counts;
  const more = failed + cancelled - unsuccessful.length;
  const named = `${unsuccessful.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return ApplicationFailure.create({
    type: 'BackfillFailed',
    message: `Of its runs ${failed} failed and ${cancelled} were cancelled: ${named}.`,
    nonRetryable: true,
  });
}

/**
 * A backfill: one workflow that owns its runs, which are its children. Before its history grows long it lets them end and
 * continues as new, so that none is ever without its owner: terminating the backfill cancels them.
 */
export async function backfill({ request, carried }: BackfillInput): Promise<BackfillSummary> {
  const { cancelRequested } = CancellationScope.current();
  // Cancellation is an event like any other: its runs end first, and the ledger hears of it.
  return CancellationScope.nonCancellable(async () => {
    const walk = new BackfillWalk(request);
    setHandler(pauseSignal, () => walk.tell({ type: 'pause_requested' }));
    setHandler(resumeSignal, () => walk.tell({ type: 'resume_requested' }));
    setHandler(progressQuery, () => walk.progress);
    cancelRequested.catch(() => walk.tell({ type: 'cancel_requested' }));
    const { firstExecutionRunId: backfillId } = workflowInfo();
    const end = await walk.from(carried ?? (await begin(request)));
    if (end.type === 'continue_as_new')
      return continueAsNew<typeof backfill>({ request, carried: end.progress });
    await steps['ingot.endBackfill']({
      backfillId,
      outcome: end.outcome,
      endedAt: new Date().toISOString(),
    });
    if (end.outcome === 'cancelled') throw new CancelledFailure('The backfill was cancelled.');
    if (end.outcome === 'failed') throw failure(walk.progress!);
    const { skipped, success } = walk.progress!.counts;
    return { backfillId, skipped, success };
  });
}
