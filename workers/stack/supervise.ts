import { setTimeout as delay } from 'node:timers/promises';
import type { GuardedChild } from './guarded-child.ts';

export interface Supervised {
  readonly name: string;
  /** Starts a successor and, once that is ready, ends the present one; when it does not start, the present one stays. */
  replace(): Promise<void>;
  stop(): Promise<void>;
}

const firstDelayMs = 200;
const longestDelayMs = 10_000;
/** Having run this long it counts as sound, and the next end is taken for a new trouble. */
const soundMs = 30_000;

function describe(exit: { readonly code: number | null; readonly signal: string | null }): string {
  const killed = exit.signal ?? (exit.code !== null && exit.code > 128 ? `signal ${exit.code - 128}` : null);
  return killed === null ? `ended with code ${exit.code}` : `was ended by ${killed}`;
}

/** Starts a program again whenever it ends unasked, at growing intervals, and says so. */
export function supervise(
  first: GuardedChild,
  start: () => Promise<GuardedChild>,
  say: (line: string) => void,
): Supervised {
  const stopping = new AbortController();
  let current = first;
  let starting: Promise<void> = Promise.resolve();

  const again = async (): Promise<void> => {
    for (let waitMs = firstDelayMs; !stopping.signal.aborted; waitMs = Math.min(waitMs * 2, longestDelayMs)) {
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        current = await start();
        say(`${first.name} runs again.`);
        return;
      } catch (error) {
        say(`${first.name} does not start: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };

  const watch = async (): Promise<void> => {
    let troubles = 0;
    for (;;) {
      const since = Date.now();
      const watched = current;
      const exit = await watched.exited;
      if (stopping.signal.aborted) return;
      if (watched !== current) continue;
      troubles = Date.now() - since > soundMs ? 1 : troubles + 1;
      say(`${first.name} ${describe(exit)}: starting it again (log: ${current.logFile}).`);
      if (troubles > 1)
        await delay(Math.min(firstDelayMs * 2 ** troubles, longestDelayMs), undefined, {
          signal: stopping.signal,
        }).catch(() => {});
      starting = again();
      await starting;
      if (stopping.signal.aborted) return;
    }
  };
  void watch();

  const succeed = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    const predecessor = current;
    try {
      current = await start();
    } catch (error) {
      return say(`${first.name} stays as it is: ${error instanceof Error ? error.message : String(error)}`);
    }
    await predecessor.stop();
  };

  return {
    name: first.name,
    replace: () => {
      starting = starting.then(succeed);
      return starting;
    },
    stop: async () => {
      stopping.abort();
      await starting;
      await current.stop();
    },
  };
}
