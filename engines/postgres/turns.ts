import type { CallOptions } from '../../ports/abortable.ts';

/** Lets the calls of one process wait for each other by name, so that those waiting hold no connection. */
export interface Turns {
  take<Result>(name: string, options: CallOptions, body: () => Promise<Result>): Promise<Result>;
}

const beatMs = 1_000;

/** Resolves when `turn` does, beating meanwhile; rejects with the signal's reason. */
async function wait(turn: Promise<void>, { signal, beat }: CallOptions): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  const abort = (): void => reject(signal?.reason as Error);
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  const beating = setInterval(() => beat?.(), beatMs);
  try {
    await Promise.race([turn, aborted]);
  } finally {
    clearInterval(beating);
    signal?.removeEventListener('abort', abort);
  }
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    async take(name, options, body) {
      const before = last.get(name) ?? Promise.resolve();
      const { promise: finished, resolve } = Promise.withResolvers<void>();
      // Who gives up while waiting still lets the next one wait for those before.
      const mine = before.then(() => finished);
      last.set(name, mine);
      try {
        await wait(before, options);
        return await body();
      } finally {
        resolve();
        if (last.get(name) === mine) last.delete(name);
      }
    },
  };
}
