import type { KeptAlive } from '../activities/boundary.ts';

/** Attempts beyond these, and task tokens longer than this, are without a second heart. */
const slots = 64;
const slotBytes = 1024;
const headerBytes = 8;

/**
 * Memory shared by the worker's thread and its heart's: a clock that stands still while the worker's thread is busy, and
 * the task tokens of the attempts that run. No messages: most attempts are over before a thread would have read one.
 */
export class HeartSlots {
  readonly buffer: SharedArrayBuffer;
  readonly #clock: Int32Array;
  readonly #lengths: Uint16Array;
  readonly #forsaken: Uint8Array;
  readonly #tokens: Uint8Array;
  readonly #free: number[] = Array.from({ length: slots }, (_, index) => index);

  constructor(buffer = new SharedArrayBuffer(headerBytes + slots * (3 + slotBytes))) {
    this.buffer = buffer;
    this.#clock = new Int32Array(buffer, 0, 1);
    this.#lengths = new Uint16Array(buffer, headerBytes, slots);
    this.#forsaken = new Uint8Array(buffer, headerBytes + 2 * slots, slots);
    this.#tokens = new Uint8Array(buffer, headerBytes + 3 * slots);
  }

  tick(): void {
    Atomics.add(this.#clock, 0, 1);
  }

  ticks(): number {
    return Atomics.load(this.#clock, 0);
  }

  /** Puts a token in until it is disposed of. */
  hold(token: Uint8Array): KeptAlive {
    const slot = token.length > slotBytes ? undefined : this.#free.pop();
    if (slot === undefined) return { forsake: () => {}, [Symbol.dispose]: () => {} };
    this.#tokens.set(token, slot * slotBytes);
    Atomics.store(this.#forsaken, slot, 0);
    Atomics.store(this.#lengths, slot, token.length);
    return {
      forsake: () => void Atomics.store(this.#forsaken, slot, 1),
      [Symbol.dispose]: () => {
        Atomics.store(this.#lengths, slot, 0);
        this.#free.push(slot);
      },
    };
  }

  held(): Uint8Array[] {
    return this.#where(() => true);
  }

  forsaken(): Uint8Array[] {
    return this.#where((slot) => Atomics.load(this.#forsaken, slot) === 1);
  }

  #where(wanted: (slot: number) => boolean): Uint8Array[] {
    const found: Uint8Array[] = [];
    for (let slot = 0; slot < slots; slot += 1) {
      const length = Atomics.load(this.#lengths, slot);
      if (length > 0 && wanted(slot))
        found.push(this.#tokens.slice(slot * slotBytes, slot * slotBytes + length));
    }
    return found;
  }
}
