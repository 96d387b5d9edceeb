import { byKey } from './instances.ts';
import type { InstanceKey, TaskInstance } from './run-progress.ts';

/** First come, first served; who comes again goes to the end, so that a long map leaves room for the tasks beside it. */
export class ReadyQueue {
  #keys: InstanceKey[] = [];
  #first = 0;

  /** In the order in which they became ready. */
  static of(instances: readonly TaskInstance[]): ReadyQueue {
    const queue = new ReadyQueue();
    const since = ({ scheduledAt }: TaskInstance): number => scheduledAt ?? 0;
    for (const { key } of [...instances].sort((a, b) => since(a) - since(b) || byKey(a.key, b.key)))
      queue.add(key);
    return queue;
  }

  get isEmpty(): boolean {
    return this.#first === this.#keys.length;
  }

  add(key: InstanceKey): void {
    this.#keys.push(key);
  }

  take(): InstanceKey | undefined {
    const key = this.#keys[this.#first];
    if (key === undefined) return undefined;
    this.#first += 1;
    if (this.#first > 1000 && 2 * this.#first > this.#keys.length) {
      this.#keys = this.#keys.slice(this.#first);
      this.#first = 0;
    }
    return key;
  }
}
