import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError } from '../../ports/errors.ts';
import type { GuardedChild } from './guarded-child.ts';

/** Thrown when a program could not listen, on one of its known ports or on one it chose for itself. */
export class PortTakenError extends RetryableError {}

/** The line that names the trouble, which in a long trace stands at the top, and the last lines. */
function excerpt(log: string): string {
  const lines = log.split('\n');
  const last = lines.slice(-10);
  const trouble = lines.find((line) => /panic:|fatal|error/i.test(line));
  return (trouble === undefined || last.includes(trouble) ? last : [trouble, '…', ...last]).join('\n');
}

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
      const log = child.logTail(500);
      const Failure = /address already in use/i.test(log) ? PortTakenError : RetryableError;
      throw new Failure({
        expected: `${child.name} to answer`,
        found: `${found}; its log says:\n${excerpt(log)}\n`,
        remedy: 'Mend what the log names and start again.',
      });
    }
    await delay(20);
  }
}

function exitText(exit: { readonly code: number | null; readonly signal: string | null }): string {
  return exit.signal === null ? ` with code ${exit.code}` : ` by ${exit.signal}`;
}
