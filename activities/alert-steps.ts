import { Context } from '@temporalio/activity';
import { RetryableError, TerminalError } from '../ports/errors.ts';
import type { AlertChannels, AlertSteps, DeliverRequest } from '../ports/alert-steps.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Notifier } from '../ports/notifier.ts';
import { alertNotification } from './alert-text.ts';
import { businessFailure, infrastructureFailure } from './failures.ts';
import { step } from './run-steps.ts';

/** A receiver that is down for a day is told nothing any more: the ledger remembers that it was not. */
export const defaultAlertRetry: AlertChannels['retry'] = {
  initialMs: 2000,
  maxMs: 5 * 60_000,
  forMs: 24 * 3_600_000,
};

interface Parts {
  readonly ledger: Ledger;
  readonly notifier: () => Notifier;
  readonly retry: AlertChannels['retry'];
}

/** The receivers, one by one; a notifier that has none behind it is one itself. */
function channelsOf(notifier: Notifier): ReadonlyMap<string, Notifier> {
  return notifier.channels ?? new Map([['notifier', notifier]]);
}

function channelNamed(notifier: Notifier, channel: string): Notifier {
  const found = channelsOf(notifier).get(channel);
  if (found !== undefined) return found;
  throw new RetryableError({
    place: `notifier ${channel}`,
    expected: 'this worker to have it',
    found: [...channelsOf(notifier).keys()].join(', ') || 'none',
    remedy: 'Configure all workers alike; it is tried again.',
  });
}

/** Whether the next try would come after the time an alert is given: then its last words are the receiver's, not Temporal's. */
function isLastTry({ initialMs, maxMs, forMs }: AlertChannels['retry']): boolean {
  const { attempt, scheduledTimestampMs } = Context.current().info;
  const pauseMs = Math.min(maxMs, initialMs * 2 ** (attempt - 1));
  return Date.now() + pauseMs >= scheduledTimestampMs + forMs;
}

async function deliver({ notifier, retry }: Parts, { channel, alert }: DeliverRequest): Promise<void> {
  const signal = Context.current().cancellationSignal;
  try {
    await channelNamed(notifier(), channel).notify(alertNotification(alert), { signal });
  } catch (error) {
    // Anything that does not say for good that it is refused may pass: an alert is worth another try.
    if (error instanceof TerminalError || isLastTry(retry)) throw businessFailure(error);
    throw infrastructureFailure('AlertNotDelivered', error);
  }
}

/** How alerts are delivered, one receiver at a time, and kept in the ledger. */
export function createAlertSteps(parts: Parts): AlertSteps {
  const { ledger, notifier, retry } = parts;
  return {
    'ingot.alertChannels': async () => ({ channels: [...channelsOf(notifier()).keys()], retry }),
    'ingot.deliverAlert': (request) => deliver(parts, request),
    'ingot.recordAlert': ({ runId, events }) => step(() => ledger.recordAttempts(runId, [], events)),
  };
}
