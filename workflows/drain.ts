import { workflowInfo } from '@temporalio/workflow';
import type { ContinueAfter } from '../ports/run-steps.ts';
import { continueAfter } from './policies.ts';

/** How often the run goes on because waiting for what runs would take too long. */
const mostTimes = 4;

/** Watches how long the history grows, and says when the run is to drain, and when to give that up for now. */
export class Drain {
  readonly #limits: ContinueAfter;
  readonly #startedBytes: number;
  #times = 1;
  #isOn = false;

  constructor(limits: Partial<ContinueAfter> | undefined) {
    this.#limits = { ...continueAfter, ...limits };
    this.#startedBytes = workflowInfo().historySize;
  }

  /** True when it is time to begin draining. */
  isDue(): boolean {
    if (this.#isOn) return false;
    const { historyLength, historySize } = workflowInfo();
    const { events, bytes } = this.#limits;
    this.#isOn =
      historyLength >= events * this.#times || historySize - this.#startedBytes >= bytes * this.#times;
    return this.#isOn;
  }

  /** How long to wait for what runs; null when there is no more room to go on in. */
  get patienceMs(): number | null {
    return this.#times < mostTimes ? this.#limits.patienceMs : null;
  }

  giveUp(): void {
    this.#isOn = false;
    this.#times += 1;
  }
}
