import type { RetryPolicy } from '@temporalio/workflow';
import type { ContinueAfter } from '../ports/run-steps.ts';

/**
 * The infrastructure budget of an attempt: lost workers, the ledger out of reach. About ten minutes in all. That it took
 * too long is the task's own failure, which the reducer handles.
 */
export const attemptRetries: RetryPolicy = {
  initialInterval: 1000,
  backoffCoefficient: 2,
  maximumInterval: 30_000,
  maximumAttempts: 25,
  nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'],
};

/** What the interpreter itself asks of the ledger: an outage of days must not fail a run. */
export const stepRetries: RetryPolicy = {
  initialInterval: 500,
  backoffCoefficient: 2,
  maximumInterval: 15_000,
  maximumAttempts: 50_000,
};

/** Looks at a job that runs elsewhere. The activity names the pause before the next look, and ends when the attempt has had its time. */
export const lookRetries: RetryPolicy = {
  initialInterval: 2000,
  backoffCoefficient: 1.5,
  maximumInterval: 60_000,
  maximumAttempts: 1_000_000,
};

/** About ten minutes: whoever stopped the run should not wait for a service that is down; the job's own timeout ends it then. */
export const jobStopRetries: RetryPolicy = {
  initialInterval: 1000,
  backoffCoefficient: 2,
  maximumInterval: 30_000,
  maximumAttempts: 25,
};

export const stepTimeoutMs = 60_000;
/** A write of task states takes milliseconds, may be repeated, and holds up the run's end: a worker that dies in it must be noticed soon. */
export const recordTimeoutMs = 15_000;
/** From here on the pause between two tries of a local activity is a timer, and the workflow task is given back. */
export const localRetryThresholdMs = 4000;

/** The boundary shows life every 2 seconds for a body that does not; a body that blocks the event loop for longer has to say so with `heartbeat`. */
export const defaultHeartbeatMs = 15_000;
/** The boundary ends an attempt at its timeout; the server's own clock is for a worker that cannot. */
export const timeoutSlackMs = 10_000;
/** How long a cancelled run waits for its running attempts before it ends without them. They cannot publish any more. */
export const cancelGraceMs = 60_000;

/** Resolved input of one attempt as JSON text; Temporal refuses two megabytes. */
export const maxInputBytes = 1536 * 1024;

/** Temporal ends an execution at 51,200 events or 50 MB, and warns at a fifth of that. Four times these leave room for what runs. */
export const continueAfter: ContinueAfter = { events: 4000, bytes: 8 * 1024 * 1024, patienceMs: 300_000 };
