import { setTimeout as delay } from 'node:timers/promises';
import type { Handlers } from './call.ts';

/** Keeps crawls and queries running until a test lets them go on: what it names is a part of the crawler's name or of the SQL. */
export class Holds {
  readonly #held = new Set<string>();

  readonly controls: Handlers = {
    hold: ({ match }) => {
      this.#held.add(String(match));
      return {};
    },
    release: ({ match }) => {
      this.#held.delete(String(match));
      return {};
    },
  };

  async passed(text: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && [...this.#held].some((match) => text.includes(match))) await delay(20);
  }
}
