import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError } from '../../ports/errors.ts';
import type { GuardedChild } from './guarded-child.ts';

/** Probes until the child answers; a child that ends or stays silent too long is stopped and its log shown. */
export async function waitUntilReady(
  child: GuardedChild,
  probe: () => Promise<boolean>,
  limitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    if (await probe().catch(() => false)) return;
    if (signal?.aborted) {
      await child.stop();
      throw signal.reason as Error;
    }
    if (child.hasExited() || Date.now() > deadline) {
      const found = child.hasExited()
        ? `it ended${exitText(await child.exited)}`
        : `no answer for ${limitMs / 1000} s`;
      await child.stop();
      throw new RetryableError({
        expected: `${child.name} to answer`,
        found: `${found}; its log ends with:\n${child.logTail()}\n`,
        remedy: 'Mend what the log names and start again.',
      });
    }
    await delay(20);
  }
}

function exitText(exit: { readonly code: number | null; readonly signal: string | null }): string {
  return exit.signal === null ? ` with code ${exit.code}` : ` by ${exit.signal}`;
}
