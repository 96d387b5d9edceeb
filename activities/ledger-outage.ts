import type { ApplicationFailure } from '@temporalio/activity';
import { RetryableError } from '../ports/errors.ts';
import type { Ledger } from '../ports/ledger.ts';
import { infrastructureFailure } from './failures.ts';

/** The ledger as a body sees it, and whether it was the ledger's outage that made the body fail. */
export interface WatchedLedger {
  readonly ledger: Ledger;
  /** Infrastructure, not the task's own failure: an outage of the ledger must not use up a task's retries. */
  failure(error: unknown): ApplicationFailure | null;
}

export function watchLedger(ledger: Ledger): WatchedLedger {
  const outages = new WeakSet<object>();
  const watched = new Proxy(ledger, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]): Promise<unknown> => {
        try {
          return await (Reflect.apply(member, target, given) as Promise<unknown>);
        } catch (error) {
          if (error instanceof RetryableError) outages.add(error);
          throw error;
        }
      };
    },
  });
  return {
    ledger: watched,
    failure(error) {
      for (let at = error; at instanceof Error; at = at.cause)
        if (outages.has(at)) return infrastructureFailure('LedgerUnavailable', at);
      return null;
    },
  };
}
