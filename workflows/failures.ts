import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import type { Failure, InstanceKey, RunProgress } from '../dag/reducer.ts';
import type { RunRecord } from '../ports/ledger.ts';
import type { FailureDetails, Whereabouts } from '../ports/run-steps.ts';

/** How an activity ended that did not succeed, in the words of the reducer. */
export type Ending = (
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'unknown' }
  | { readonly type: 'conflict' }
) & { readonly where: Whereabouts | null };

export function failed(failure: Failure, where: Whereabouts | null = null): Ending {
  return { type: 'failed', failure, where };
}

function fromApplication(failure: ApplicationFailure): Ending {
  const type = failure.type ?? 'Error';
  const [details] = (failure.details ?? []) as (FailureDetails | undefined)[];
  const where = details?.where ?? null;
  if (type === 'TaskUnknown') return { type: 'unknown', where };
  if (type === 'SnapshotConflictError') return { type: 'conflict', where };
  return failed({ type, message: failure.message, retryable: details?.retryable ?? true }, where);
}

function fromTimeout(failure: TimeoutFailure): Ending {
  if (failure.timeoutType === 'HEARTBEAT')
    return failed({
      type: 'WorkerLost',
      message:
        'Expected a sign of life from the attempt; found none, several times over: its workers died, or its body keeps the event loop busy. Look at the workers, or give the task a longer `heartbeat`.',
      retryable: true,
    });
  return failed({
    type: 'Timeout',
    message:
      'Expected the attempt to end within its timeout; found it still running. Give it a longer timeout, or less to do.',
    retryable: true,
  });
}

export const cancelledFailure: Failure = {
  type: 'Cancelled',
  message: 'The run was cancelled.',
  retryable: false,
};

/** Throws what is not an activity's failure: a defect of the interpreter, which must not pass for a failure of the task. */
export function endingOf(error: unknown): Ending {
  if (error instanceof CancelledFailure) return failed(cancelledFailure);
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof CancelledFailure) return failed(cancelledFailure);
  if (cause instanceof ApplicationFailure) return fromApplication(cause);
  if (cause instanceof TimeoutFailure) return fromTimeout(cause);
  return failed({ type: 'ActivityFailure', message: cause?.message ?? error.message, retryable: true });
}

type FirstFailure = NonNullable<RunRecord['failure']>;

/** The failure a failed run is remembered by; null for a run that did not fail. */
export function firstFailure(progress: RunProgress, keys: readonly InstanceKey[]): FirstFailure | null {
  const failures = keys.flatMap((key) => {
    const failure = progress.instances[key]?.failure;
    return failure ? [{ ...failure, task: key }] : [];
  });
  return failures[0] ?? null;
}

/** Without keys: the ledger has the run as failed, whatever this execution found. */
export function runFailure(progress: RunProgress, keys: readonly InstanceKey[]): ApplicationFailure {
  const first = firstFailure(progress, keys);
  const tasks =
    keys.length > 10 ? `${keys.slice(0, 10).join(', ')} and ${keys.length - 10} more` : keys.join(', ');
  const why = first === null ? '' : ` ${first.task}: ${first.type}: ${first.message}`;
  return ApplicationFailure.create({
    type: 'RunFailed',
    message: keys.length === 0 ? 'The run was closed as failed before.' : `Failed: ${tasks}.${why}`,
    nonRetryable: true,
    details: [{ tasks: keys }],
  });
}
