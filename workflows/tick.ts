import {
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  ParentClosePolicy,
  proxyLocalActivities,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { runWorkflowId, type DataInterval } from '../dag/interval.ts';
import type { RunRequest } from '../ports/run-steps.ts';
import type { DueRuns, ScheduleSteps, TickRequest, TickSummary } from '../ports/schedule-steps.ts';
import { waitingText } from './admission.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';
import { startAttributes } from './search-attributes.ts';

/** Runs that others started end without telling the tick: it looks by itself, ever more rarely. */
const firstLookMs = 5000;
const longestLookMs = 60_000;
/** History of one execution: about ten events for each look and each run started. */
const eventsPerExecution = 2000;
const keptInSummary = 100;

const steps = proxyLocalActivities<Pick<ScheduleSteps, 'ingot.dueRuns' | 'ingot.moveClock'>>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

const scheduledFor = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** The server's clock; never before the tick it answers, should another machine's clock have been behind. */
function now(): string {
  const tickAt = workflowInfo().typedSearchAttributes.get(scheduledFor)?.getTime() ?? 0;
  return new Date(Math.max(Date.now(), tickAt)).toISOString();
}

/** The runs this execution started, and which of them go on. */
class StartedRuns {
  readonly all: string[] = [];
  readonly open = new Set<string>();
  ended = 0;

  /** Starts a run that outlives the tick. Whoever has the interval already, by hand or in a backfill, keeps it. */
  async start(dagId: string, interval: DataInterval): Promise<void> {
    const { start, end } = interval;
    const request: RunRequest = { type: 'scheduled', interval: { start, end }, params: {} };
    const workflowId = runWorkflowId(dagId, interval);
    try {
      const child = await startChild(dagId, {
        workflowId,
        args: [request],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        typedSearchAttributes: startAttributes(dagId, 'scheduled', start),
        staticSummary: `${dagId} ${start.slice(0, 10)} (scheduled)`,
        staticDetails: `Data interval \`${start}\` to \`${end}\``,
      });
      this.all.push(workflowId);
      this.open.add(workflowId);
      const ended = (): void => {
        this.open.delete(workflowId);
        this.ended += 1;
      };
      child.result().then(ended, ended);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** Until more of them have ended than `before`, or for a while. */
  async untilRoom(before: number, atMostMs: number): Promise<void> {
    await condition(() => this.ended > before, atMostMs);
  }
}

async function startDue(
  dagId: string,
  found: Extract<DueRuns, { state: 'in_force' }>,
  runs: StartedRuns,
): Promise<void> {
  for (const interval of found.due) await runs.start(dagId, interval);
  const { tickedTo } = found;
  // Only now: killed before, the next look finds the same intervals, and Temporal refuses what was started.
  if (tickedTo !== null) await steps['ingot.moveClock']({ dagId, tickedTo });
}

/**
 * One tick of a DAG's clock: starts a run for every interval that is due and has none, oldest first and no more at a
 * time than may be active, and ends once none is left. Owns no rule of its own: what is due is computed from the ledger.
 */
export async function tick(request: TickRequest): Promise<TickSummary> {
  const { dagId } = request;
  const runs = new StartedRuns();
  const summary = (outcome: TickSummary['outcome']): TickSummary => ({
    dagId,
    outcome,
    started: runs.all.slice(-keptInSummary),
  });
  let lookMs = firstLookMs;
  for (;;) {
    const { ended } = runs;
    const found = await steps['ingot.dueRuns']({ dagId, at: now(), started: [...runs.open] });
    if (found.state !== 'in_force') return summary(found.state);
    await startDue(dagId, found, runs);
    if (!found.more) return summary('done');
    if (found.due.length === 0 && found.active.length >= found.maxActiveRuns) {
      setCurrentDetails(waitingText({ admitted: false, ahead: 0, ...found }, 'More intervals are due'));
      await runs.untilRoom(ended, lookMs);
      lookMs = Math.min(2 * lookMs, longestLookMs);
    } else lookMs = firstLookMs;
    if (workflowInfo().historyLength > eventsPerExecution) await continueAsNew<typeof tick>(request);
  }
}
