import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { alertWorkflowId, runFailedIncident } from '../dag/alerts.ts';
import type { AlertRequest } from '../ports/alert-steps.ts';
import type { Ledger, LedgerEvent, RunRecord } from '../ports/ledger.ts';

/** Raises the alert of a failed run, if its DAG wants one and it was not raised before. `at` is RFC 3339. */
export type TellFailure = (run: RunRecord, failure: RunRecord['failure'], at: string) => Promise<void>;

interface Parts {
  readonly ledger: Ledger;
  readonly client: Client;
  /** Of the workers that deliver. */
  readonly taskQueue: string;
}

/** Older news is no alert any more. */
const newsMs = 24 * 3_600_000;
const eventsPerLook = 100;

async function tellFailure(
  { ledger, client, taskQueue }: Parts,
  run: RunRecord,
  failure: RunRecord['failure'],
  at: string,
): Promise<void> {
  const { runId, type, workflowId, dagId, params, logicalDate, intervalStart, intervalEnd } = run;
  const incident = runFailedIncident((await ledger.plan(run.planHash))?.alerts, failure);
  if (incident === null) return;
  // Temporal forgets the ids of closed workflows after its retention; the ledger does not.
  const known = await ledger.events({ keyPrefix: `alert/${runId}/${incident.name}`, limit: 1 });
  if (known.length > 0) return;
  const interval = { start: intervalStart, end: intervalEnd, logicalDate };
  const request: AlertRequest = {
    incident,
    dagId,
    workflowId,
    facts: { run: { id: runId, type }, interval, params },
    at,
  };
  try {
    await client.workflow.start('ingot.alert', {
      workflowId: alertWorkflowId(runId, incident.name),
      taskQueue,
      args: [request],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `run failed: ${dagId}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Alerts of runs that could not raise them themselves. */
export function runAlerts(parts: Parts): {
  readonly failed: TellFailure;
  /** Of runs that the next run of their interval found open, and closed. */
  readonly replaced: () => Promise<void>;
} {
  const seen = new Set<string>();
  const failed: TellFailure = (run, failure, at) => tellFailure(parts, run, failure, at);

  async function replacedBy({ payload, at }: LedgerEvent): Promise<void> {
    const { runId } = payload;
    if (typeof runId !== 'string' || seen.has(runId) || Date.now() - Date.parse(at) > newsMs) return;
    const run = await parts.ledger.run(runId);
    if (run !== null) await failed(run, run.failure, at);
    seen.add(runId);
  }

  return {
    failed,
    replaced: async () => {
      const events = await parts.ledger.events({ kind: 'run_replaced', limit: eventsPerLook });
      for (const event of events) await replacedBy(event);
    },
  };
}
