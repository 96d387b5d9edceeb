import { CancellationScope, sleep } from '@temporalio/workflow';

/** Timers of Temporal's own, each with its name in the UI; thousands more would fill the history. */
const ownTimers = 500;
const secondMs = 1000;

interface Alarm {
  readonly untilMs: number;
  readonly ring: () => void;
}

/** Rings once for each key, at its time. The first 500 have a timer each, further ones share one and ring on the next full second. */
export class Alarms {
  /** Where nothing is cancelled. */
  readonly #shield = CancellationScope.current();
  readonly #own = new Map<string, CancellationScope>();
  readonly #shared = new Map<string, Alarm>();
  readonly #secondOf = new Map<number, Set<string>>();
  #clock: { readonly untilMs: number; readonly scope: CancellationScope } | null = null;

  /** Replaces the key's alarm that has not rung. */
  set(key: string, ms: number, summary: string, ring: () => void): void {
    this.cancel(key);
    if (this.#own.size < ownTimers) {
      const scope = this.#sleep(ms, summary, () => {
        this.#own.delete(key);
        ring();
      });
      this.#own.set(key, scope);
      return;
    }
    const untilMs = Math.ceil((Date.now() + Math.max(ms, 1)) / secondMs) * secondMs;
    this.#shared.set(key, { untilMs, ring });
    const known = this.#secondOf.get(untilMs);
    if (known === undefined) this.#secondOf.set(untilMs, new Set([key]));
    else known.add(key);
    this.#wind();
  }

  cancel(key: string): void {
    this.#own.get(key)?.cancel();
    this.#own.delete(key);
    const shared = this.#shared.get(key);
    if (shared === undefined) return;
    this.#shared.delete(key);
    const keys = this.#secondOf.get(shared.untilMs)!;
    keys.delete(key);
    if (keys.size === 0) this.#secondOf.delete(shared.untilMs);
  }

  cancelAll(): void {
    for (const scope of this.#own.values()) scope.cancel();
    this.#clock?.scope.cancel();
    this.#own.clear();
    this.#shared.clear();
    this.#secondOf.clear();
  }

  #wind(): void {
    if (this.#secondOf.size === 0) return;
    const untilMs = Math.min(...this.#secondOf.keys());
    if (this.#clock !== null && this.#clock.untilMs <= untilMs) return;
    this.#clock?.scope.cancel();
    const summary = `${this.#shared.size} more that wait`;
    const scope = this.#sleep(untilMs - Date.now(), summary, () => {
      this.#clock = null;
      this.#strike();
    });
    this.#clock = { untilMs, scope };
  }

  #strike(): void {
    const due = [...this.#secondOf.keys()].filter((untilMs) => untilMs <= Date.now());
    const alarms = due
      .toSorted((a, b) => a - b)
      .flatMap((untilMs) => [...this.#secondOf.get(untilMs)!])
      .map((key) => ({ key, ring: this.#shared.get(key)!.ring }));
    for (const { key } of alarms) this.cancel(key);
    for (const { ring } of alarms) ring();
    this.#wind();
  }

  #sleep(ms: number, summary: string, then: () => void): CancellationScope {
    const scope = new CancellationScope({ cancellable: true, parent: this.#shield });
    scope
      .run(() => sleep(Math.max(ms, 1), { summary }))
      .then(
        () => then(),
        () => {},
      );
    return scope;
  }
}
