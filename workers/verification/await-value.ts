import { setTimeout as delay } from 'node:timers/promises';
import { unexpected } from './outcome.ts';

/** Looks every few seconds until there is something. */
export async function awaitValue<T>(
  expected: string,
  limitMs: number,
  look: () => Promise<T | null>,
  pauseMs = 2000,
): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > until)
      throw unexpected(expected, `nothing of the kind within ${Math.round(limitMs / 60_000)} minutes`);
    await delay(pauseMs);
  }
}
