import type { JobRun } from '@aws-sdk/client-glue';
import type { JobState } from '../../ports/jobs.ts';
import { RetryableError, TerminalError } from '../../ports/errors.ts';

const running = new Set(['STARTING', 'RUNNING', 'STOPPING', 'WAITING']);

export function isRunning(run: JobRun): boolean {
  return running.has(run.JobRunState ?? '');
}

export function stateOf(run: JobRun): JobState {
  const minutes = Math.floor((run.ExecutionTime ?? 0) / 60);
  const note = `${run.JobRunState} ${minutes === 0 ? 'for less than a minute' : `for ${minutes} min`}`;
  return isRunning(run) ? { state: 'running', note } : { state: 'ended', note: `${run.JobRunState}` };
}

/** What a service that failed says, not a job that did. */
const failedService =
  /out of memory|outofmemory|no space left|lost executor|executor ?lost|resource unavailable|internal (service )?error|internal failure|throttl|slow ?down|heartbeat|timed? ?out|connection (reset|refused)|unable to (launch|provision)|exit(ed)? (status|code):? 137|node failure|insufficient/i;

const ends: Readonly<Record<string, string>> = {
  STOPPED: 'a run that was stopped from outside',
  TIMEOUT: 'a run that Glue ended at its timeout',
  EXPIRED: 'a run that Glue did not start in time',
  SUCCEEDED: 'a run that succeeded without leaving a result',
};

/** Why a run that left no result came to its end. */
export function endOf(run: JobRun | null, place: string): TerminalError | RetryableError {
  const expected = 'the Spark job to end with a result';
  const retryable = (found: string) =>
    new RetryableError({ place, expected, found, remedy: 'It is tried again.' });
  if (run === null) return retryable('a run that Glue does not know any more');
  if (isRunning(run)) return retryable('a run that has not ended');
  const known = ends[run.JobRunState ?? ''];
  if (known !== undefined) return retryable(known);
  const message = run.ErrorMessage ?? '';
  if (message === '' || failedService.test(message))
    return retryable(`a run that Glue failed: ${message || 'no reason given'}`);
  return new TerminalError({
    place,
    expected,
    found: `a run that failed before it could say why: ${message}`,
    remedy: 'Look at the log of the run; `ingot doctor` checks role, script and bucket.',
  });
}
