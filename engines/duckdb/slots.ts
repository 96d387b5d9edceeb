import type { Abortable } from '../../ports/abortable.ts';

/** At most `size` holders at once, in order of arrival. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async take(signal?: Abortable): Promise<() => void> {
    if (signal?.aborted === true) throw signal.reason;
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    let held = true;
    return () => {
      if (held) this.#release();
      held = false;
    };
  }

  async #turn(signal: Abortable | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      const at = this.#waiting.indexOf(resolve);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      reject(signal?.reason);
    };
    this.#waiting.push(resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/**
 * Every running statement of DuckDB holds a thread of libuv's pool, which files and name look-ups of the whole process
 * share: statements of all databases together leave it two.
 */
export const statementSlots = new Slots(Math.max(1, Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) - 2));
