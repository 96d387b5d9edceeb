import type { RetryPlan } from './plan.ts';
import type { Failure } from './run-progress.ts';

/** Milliseconds to wait before the next attempt, or null when there is none. `failures` counts this one too. */
export function retryDelayMs(retries: RetryPlan, failure: Failure, failures: number): number | null {
  const rule = retries.rules.find((each) => each.errorType === failure.type);
  const again = rule === undefined ? failure.retryable : rule.action === 'retry';
  if (!again || failures > retries.limit) return null;
  return (
    rule?.delayMs ?? Math.min(retries.maxMs, Math.round(retries.initialMs * retries.factor ** (failures - 1)))
  );
}

/** Conflicts after which an attempt takes leases first, and after which the task gives up. */
export const conflictsBeforeLease = 3;
export const maxConflicts = 20;

/** A conflict means that another run published, so the next attempt may begin almost at once. */
export function conflictDelayMs(conflicts: number): number {
  return Math.min(100 * 2 ** (conflicts - 1), 5_000);
}

/** How long until a task that no worker knew is tried again: 10 s, then as long again as it has waited, up to 60 s. */
export function unknownTaskDelayMs(waitedMs: number): number {
  return Math.min(60_000, Math.max(10_000, waitedMs));
}
