import { CancellationScope, sleep } from '@temporalio/workflow';

/** Looks again after a while, ever more rarely: what wakes a waiting run usually comes earlier, by signal. */
export class LookTimer {
  readonly #summary: string;
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #look: () => void;
  /** Where it was made: it must not end with the attempts. */
  readonly #scope = CancellationScope.current();
  #nextMs: number;
  #timer: CancellationScope | null = null;

  constructor(
    summary: string,
    { firstMs, longestMs }: { readonly firstMs: number; readonly longestMs: number },
    look: () => void,
  ) {
    this.#summary = summary;
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#look = look;
    this.#nextMs = firstMs;
  }

  /** Something has changed: the next looks come sooner again. */
  hurry(): void {
    this.#nextMs = this.#firstMs;
  }

  /** Makes sure that a look comes. */
  set(): void {
    if (this.#timer !== null) return;
    const timer = new CancellationScope({ cancellable: true, parent: this.#scope });
    this.#timer = timer;
    const ms = this.#nextMs;
    this.#nextMs = Math.min(2 * ms, this.#longestMs);
    timer
      .run(() => sleep(ms, { summary: this.#summary }))
      .then(
        () => {
          this.#timer = null;
          this.#look();
        },
        () => undefined,
      );
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
