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

/** Why a run that left no result came to its end. */
export function endOf(run: JobRun | null, place: string): TerminalError | RetryableError {
  const expected = 'the Spark job to end with a result';
  const message = run?.ErrorMessage ?? '';
  const again = 'It is tried again.';
  const found = (what: string) => new RetryableError({ place, expected, found: what, remedy: again });
  switch (run?.JobRunState) {
    case undefined:
      return found('a run that Glue does not know any more');
    case 'STOPPED':
      return found('a run that was stopped from outside');
    case 'TIMEOUT':
    case 'EXPIRED':
      return found('a run that Glue ended at its timeout');
    case 'SUCCEEDED':
      return found('a run that succeeded without leaving a result');
    case 'FAILED':
    case 'ERROR':
      if (message === '' || failedService.test(message))
        return found(`a run that Glue failed: ${message || 'no reason given'}`);
      return new TerminalError({
        place,
        expected,
        found: `a run that failed before it could say why: ${message}`,
        remedy: 'Look at the log of the run; `ingot doctor` checks role, script and bucket.',
      });
    default:
      return found('a run that has not ended');
  }
}
