import type { Context } from '@temporalio/activity';
import { LazySignal } from './lazy-signal.ts';

export type StopReason = 'cancelled' | 'timeout' | 'shutdown';

/** How long a body may take to end once it was told to. What it does after that is ignored: it cannot publish. */
const graceMs = 5000;

/** Ends an attempt that was cancelled, took too long or whose worker is going away. */
export interface Stop extends Disposable {
  readonly signal: LazySignal;
  /** Null while the attempt may go on. */
  readonly reason: StopReason | null;
  /** True once the SDK has given up the attempt by its own clock, although the server may well wait for it: it sends no reply any more. */
  readonly forsaken: boolean;
  /** What `work` returns; rejects when it was stopped, at the latest `graceMs` after that. Work that ends in time although the worker is stopping counts. */
  orEnd<T>(work: () => Promise<T>): Promise<T>;
}

export function openStop(activity: Context, timeoutMs: number, onForsaken: () => void): Stop {
  const signal = new LazySignal();
  let onStop = (): void => {};
  let reason: StopReason | null = null;
  let forsaken = false;
  const stop = (why: StopReason): void => {
    reason ??= why;
    signal.abort(new DOMException(`The attempt was stopped: ${why}.`, 'AbortError'));
    onStop();
  };
  const onCancel = (): void => {
    const { message } = activity.cancellationSignal.reason as Error;
    if (message === 'TIMED_OUT') {
      forsaken = true;
      onForsaken();
    } else stop(message === 'WORKER_SHUTDOWN' ? 'shutdown' : 'cancelled');
  };
  if (activity.cancellationSignal.aborted) onCancel();
  else activity.cancellationSignal.addEventListener('abort', onCancel, { once: true });
  const clock = setTimeout(() => stop('timeout'), timeoutMs);
  let grace: NodeJS.Timeout | undefined;

  return {
    signal,
    get reason() {
      return reason;
    },
    get forsaken() {
      return forsaken;
    },
    async orEnd(work) {
      const tooLate = new Promise<never>((_, reject) => {
        onStop = () => {
          grace ??= setTimeout(() => reject(signal.reason!), graceMs);
        };
        if (reason !== null) onStop();
      });
      const result = await Promise.race([work(), tooLate]);
      if (reason !== null && reason !== 'shutdown') throw signal.reason!;
      // Ended in spite of the shutdown: nothing to do again.
      reason = null;
      return result;
    },
    [Symbol.dispose]() {
      clearTimeout(clock);
      clearTimeout(grace);
      activity.cancellationSignal.removeEventListener('abort', onCancel);
    },
  };
}
