/** Mixes integers into one well spread 32-bit value; the same arguments always give the same value. */
export function hash(...parts: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const part of parts) state = scramble((state ^ part) + 0x85ebca6b);
  return state >>> 0;
}

function scramble(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** A number for a seed given as text or number, so that `--seed 7` and `seed: 7` are the same. */
export function seedOf(seed: number | string): number {
  let state = 0;
  for (const character of String(seed)) state = hash(state, character.codePointAt(0)!);
  return state;
}

/** SplitMix32: fast, and cheap to restart for every row, so that any row can be made without the rows before it. */
export class Random {
  private state = 0;

  restart(seed: number): this {
    this.state = seed | 0;
    return this;
  }

  /** A 32-bit unsigned integer. */
  next(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    return scramble(this.state) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.next() % values.length]!;
  }
}
