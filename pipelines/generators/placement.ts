import { hash, Random } from './random.ts';
import type { Source } from './source.ts';

/** Codes of a slot: 0 is a clean row, then blemishes, repeats, originals of repeats and echoes in the source's order. */
export interface Slots {
  readonly codes: Uint8Array;
  /** Slot of a repeat's original. */
  readonly originals: Int32Array;
}

export const slotsPerBlock = 1_000;

/**
 * Where the dirt is. Rows come in blocks, and a block's dirt is placed from (seed, day, block) alone, at the stated share
 * and at least once in a file's first block. An echo needs a clean row at the same index of an earlier day's file; rows are divided
 * into three classes that shift by one each day, echoes live in one class and the days they refer to put none there,
 * so no placement ever depends on another day's echoes.
 */
export class Placement {
  private readonly random = new Random();
  private readonly cache = new Map<string, Slots>();
  private readonly source: Source;
  private readonly seed: number;
  private readonly rows: number;
  private readonly shares: ReadonlyMap<string, number>;
  private block = -1;

  constructor(source: Source, seed: number, rows: number, shares: ReadonlyMap<string, number>) {
    this.source = source;
    this.seed = seed;
    this.rows = rows;
    this.shares = shares;
  }

  slots(day: number, block: number): Slots {
    return this.cached(`all ${day}`, block, () => this.withEchoes(day, block));
  }

  firstEchoCode(): number {
    return 1 + this.source.blemishes.length + 2 * this.source.repeats.length;
  }

  private cached(key: string, block: number, make: () => Slots): Slots {
    if (block !== this.block) this.cache.clear();
    this.block = block;
    let slots = this.cache.get(key);
    if (slots === undefined) {
      slots = make();
      this.cache.set(key, slots);
    }
    return slots;
  }

  private count(name: string, block: number, size: number): number {
    const share = this.shares.get(name) ?? 0;
    if (share === 0) return 0;
    const exact = share * size;
    return block === 0 ? Math.max(1, Math.round(exact)) : Math.floor(exact + hash(block, size) / 2 ** 32);
  }

  private withinDay(day: number, block: number): Slots {
    return this.cached(`own ${day}`, block, () => {
      const size = Math.min(slotsPerBlock, this.rows - block * slotsPerBlock);
      const random = this.random.restart(hash(this.seed, day, block, 1));
      const free = Int32Array.from({ length: size }, (_, slot) => slot);
      let left = size;
      const take = (): number => {
        const at = random.below(left);
        const slot = free[at]!;
        free[at] = free[--left]!;
        return slot;
      };
      const codes = new Uint8Array(size);
      const originals = new Int32Array(size).fill(-1);
      this.source.blemishes.forEach((blemish, index) => {
        for (let times = this.count(blemish.name, block, size); times > 0 && left > 0; times--)
          codes[take()] = 1 + index;
      });
      const firstRepeat = 1 + this.source.blemishes.length;
      this.source.repeats.forEach((repeat, index) => {
        for (let times = this.count(repeat.name, block, size); times > 0 && left > 1; times--) {
          const original = take();
          const copy = take();
          codes[original] = firstRepeat + 2 * index + 1;
          codes[copy] = firstRepeat + 2 * index;
          originals[copy] = original;
        }
      });
      return { codes, originals };
    });
  }

  private withEchoes(day: number, block: number): Slots {
    const own = this.withinDay(day, block);
    const codes = own.codes.slice();
    const random = new Random().restart(hash(this.seed, day, block, 2));
    this.source.echoes.forEach((echo, index) => {
      const earlier = this.withinDay(day - echo.delay, block).codes;
      for (let times = this.count(echo.name, block, codes.length); times > 0; times--) {
        const slot = freeSlot(codes, earlier, day + block * slotsPerBlock, random.below(codes.length));
        if (slot !== null) codes[slot] = this.firstEchoCode() + index;
      }
    });
    return { codes, originals: own.originals };
  }
}

function freeSlot(codes: Uint8Array, earlier: Uint8Array, offset: number, from: number): number | null {
  for (let step = 0; step < codes.length; step++) {
    const slot = (from + step) % codes.length;
    if ((slot + offset) % 3 === 0 && codes[slot] === 0 && earlier[slot] === 0) return slot;
  }
  return null;
}
