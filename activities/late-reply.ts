import type { Context } from '@temporalio/activity';
import type { AttemptReply } from '../ports/run-steps.ts';

/** The SDK gives an attempt up when it was silent for its heartbeat timeout and 5 seconds more. */
const silenceMs = 5000;

/** True when the SDK may have given the attempt up by its own clock, and so drops its reply, although the server waits for it. */
export function isForsaken(silentMs: number, told: boolean): boolean {
  return told || silentMs > silenceMs;
}

async function send(report: () => Promise<void>, activity: Context): Promise<void> {
  try {
    await report();
  } catch (error) {
    // The server has given it up as well: the attempt has begun anew, or the run has ended.
    if (error instanceof Error && error.name === 'ActivityNotFoundError') return;
    activity.log.warn('could not report the end of an attempt', { error });
  }
}

/** Sends the reply past the SDK. If that sends it too, the server takes the first. */
export function replyLate(activity: Context, reply: AttemptReply): Promise<void> {
  return send(() => activity.client.activity.complete(activity.info.taskToken, reply), activity);
}

export function failLate(activity: Context, failure: unknown): Promise<void> {
  return send(() => activity.client.activity.fail(activity.info.taskToken, failure), activity);
}
