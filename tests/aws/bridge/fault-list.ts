import type { Call } from './call.ts';

export type FaultEffect =
  /** The service answers this error and does nothing. */
  | { readonly kind: 'error'; readonly code: string; readonly status: number; readonly message: string }
  /** The connection is reset and the service does nothing. */
  | { readonly kind: 'reset' }
  /** The service does what it is asked, and the connection is reset before it can say so. */
  | { readonly kind: 'lose-answer' }
  /** The connection is reset after so many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'delay'; readonly ms: number };

export interface Fault {
  /** `glue:StartJobRun`; `glue:*` is every call of the service. */
  readonly action: string;
  /** Stands in the address or body of the calls that are meant: a bucket, a job, so that tests side by side do not meet. */
  readonly match: string;
  readonly times: number;
  readonly effect: FaultEffect;
}

const longestMemory = 50_000;

function fits(call: Call, action: string, match: string): boolean {
  const isMeant = action === call.action || action === `${call.action.split(':')[0]}:*`;
  return isMeant && call.text.includes(match);
}

/** What goes wrong next, and which calls there were. */
export class FaultList {
  readonly #faults: (Fault & { left: number })[] = [];
  readonly #calls: Call[] = [];

  add(fault: Fault): void {
    this.#faults.push({ ...fault, left: fault.times });
  }

  clear(match: string): void {
    const kept = this.#faults.filter((fault) => fault.match !== match);
    this.#faults.splice(0, this.#faults.length, ...kept);
  }

  /** The effect on this call, which uses up one of its times. */
  take(call: Call): FaultEffect | null {
    this.#calls.push({ ...call, body: null, text: call.text.slice(0, 2000) });
    if (this.#calls.length > longestMemory) this.#calls.shift();
    const fault = this.#faults.find(({ left, action, match }) => left > 0 && fits(call, action, match));
    if (fault === undefined) return null;
    fault.left -= 1;
    return fault.effect;
  }

  count(action: string, match: string): number {
    return this.#calls.filter((call) => fits(call, action, match)).length;
  }
}
