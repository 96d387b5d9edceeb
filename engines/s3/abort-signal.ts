import type { Abortable } from '../../ports/abortable.ts';

/** A real `AbortSignal` that follows a port's; disposing it takes the listener away. */
export class FollowingSignal implements Disposable {
  readonly #abort = new AbortController();
  readonly #source: Abortable | undefined;
  readonly #follow = () => this.#abort.abort(this.#source?.reason);

  constructor(source: Abortable | undefined) {
    this.#source = source;
    source?.addEventListener('abort', this.#follow, { once: true });
    if (source?.aborted === true) this.#follow();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    this.#source?.removeEventListener('abort', this.#follow);
  }
}

/** `work`, or the signal's reason as soon as it aborts. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
