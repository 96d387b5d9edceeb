import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Admission } from '../ports/schedule-log.ts';
import type { ScheduleSteps } from '../ports/schedule-steps.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';
import { stateAttributes } from './search-attributes.ts';

/** Says to a waiting run that its turn may have come. */
const lookAgain = defineSignal('lookAgain');

/** The signal of a run that was terminated never comes: look all the same, ever more rarely. */
const firstLookMs = 5000;
const longestLookMs = 300_000;
const namedRuns = 20;

const steps = proxyLocalActivities<Pick<ScheduleSteps, 'ingot.admitRun' | 'ingot.nextQueued'>>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

export function waitingText(
  { active, ahead, maxActiveRuns }: Extract<Admission, { admitted: false }>,
  what: string,
): string {
  const named = active.slice(0, namedRuns).map((id) => `- ${id}`);
  const more = active.length > namedRuns ? [`- and ${active.length - namedRuns} more`] : [];
  const queue = ahead > 0 ? ` ${ahead} began to wait before.` : '';
  return [`${what}: maxActiveRuns ${maxActiveRuns} is reached by`, '', ...named, ...more, '', queue].join(
    '\n',
  );
}

/** Waits for the run's turn under its DAG's `maxActiveRuns`; false when it was cancelled before. */
export async function awaitTurn(
  runId: string,
  begun: Admission,
  isCancelled: () => boolean,
): Promise<boolean> {
  if (begun.admitted) return true;
  let woken = false;
  setHandler(lookAgain, () => {
    woken = true;
  });
  upsertSearchAttributes(stateAttributes('queued'));
  let admission: Admission = begun;
  for (let lookMs = firstLookMs; !admission.admitted; lookMs = Math.min(2 * lookMs, longestLookMs)) {
    setCurrentDetails(waitingText(admission, 'Waits for its turn'));
    await condition(() => woken || isCancelled(), lookMs);
    if (isCancelled()) return false;
    woken = false;
    admission = await steps['ingot.admitRun']({ runId });
  }
  setCurrentDetails('');
  upsertSearchAttributes(stateAttributes('running'));
  // Two runs that ended at once both woke this one: there may be room for the next as well.
  await wake(await steps['ingot.nextQueued']({ runId }));
  return true;
}

/** Tells the run that waits longest to look again. It may have ended meanwhile, or look anyway. */
export async function wake(workflowId: string | null): Promise<void> {
  if (workflowId === null) return;
  await getExternalWorkflowHandle(workflowId)
    .signal(lookAgain)
    .catch(() => undefined);
}
