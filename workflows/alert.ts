import { ActivityFailure, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import type {
  AlertChannels,
  AlertRequest,
  AlertState,
  AlertSteps,
  AlertSummary,
} from '../ports/alert-steps.ts';
import type { LedgerEvent } from '../ports/ledger.ts';
import { stepRetries, stepTimeoutMs } from './policies.ts';

const messageLength = 1000;
/** Pauses double until they are as long as they get. */
const triesBeforeLongest = 30;

const steps = proxyActivities<Pick<AlertSteps, 'ingot.alertChannels' | 'ingot.recordAlert'>>({
  startToCloseTimeout: stepTimeoutMs,
  retry: stepRetries,
});

function deliveries({ retry }: AlertChannels) {
  return proxyActivities<Pick<AlertSteps, 'ingot.deliverAlert'>>({
    startToCloseTimeout: stepTimeoutMs,
    retry: {
      initialInterval: retry.initialMs,
      backoffCoefficient: 2,
      maximumInterval: retry.maxMs,
      // The activity itself gives up when the time is over; a worker that was away for longer still tries once.
      maximumAttempts: Math.ceil(retry.forMs / retry.maxMs) + triesBeforeLongest,
    },
  });
}

/** The receiver's own words, when there are any: a delivery that ran out of time has them beneath. */
function reason(error: unknown): string {
  let found = error instanceof ActivityFailure ? error.cause : error;
  while (found instanceof TimeoutFailure && found.cause !== undefined) found = found.cause;
  return (found instanceof Error ? found.message : String(found)).slice(0, messageLength);
}

/** Delivers one alert to every receiver, each for itself, so that one that is down has others told neither late nor twice. */
export async function alert(request: AlertRequest): Promise<AlertSummary> {
  const { incident, facts, dagId, workflowId } = request;
  const runId = facts.run.id;
  const { name, kind, task } = incident;
  const about = { runId, dagId, workflowId, alert: name, what: kind, task };
  const record = (event: Omit<LedgerEvent, 'at'>, at: string): Promise<void> =>
    steps['ingot.recordAlert']({ runId, events: [{ ...event, at }] });
  const found = await steps['ingot.alertChannels'](request);
  const raised = record(
    {
      key: `alert/${runId}/${name}`,
      kind: 'alert_raised',
      payload: { ...about, channels: [...found.channels] },
    },
    request.at,
  );

  const deliver = deliveries(found);
  const delivered = async (channel: string): Promise<readonly [string, AlertState]> => {
    const ended = await deliver['ingot.deliverAlert']({ channel, alert: request }).then(
      () => ({ state: 'delivered' as const, message: null }),
      (error: unknown) => ({ state: 'failed' as const, message: reason(error) }),
    );
    await record(
      {
        key: `alert/${runId}/${name}/to/${channel}`,
        kind: `alert_${ended.state}`,
        payload: { ...about, channel, message: ended.message },
      },
      new Date().toISOString(),
    );
    return [channel, ended.state];
  };
  const states = await Promise.all(found.channels.map(delivered));
  await raised;
  return Object.fromEntries(states);
}
