import { csvLine } from './csv-line.ts';
import type { LandingFile } from './landing-file.ts';
import { slotsPerBlock } from './placement.ts';
import type { Placement, Slots } from './placement.ts';
import { hash, Random } from './random.ts';
import type { Copy, Row, Source, Verdict } from './source.ts';
import { Tally } from './truth.ts';

export interface DayOptions {
  readonly source: Source;
  readonly seed: number;
  readonly rows: number;
  readonly day: number;
  /** Days whose files are made together; the account of a day knows of the others. */
  readonly days: ReadonlySet<number>;
  readonly placement: Placement;
  readonly endOfLine: string;
  readonly deliveries: number;
}

/** Writes the records of one day's file and counts what becomes of them. */
export class DayWriter {
  private readonly options: DayOptions;
  private readonly fill: (row: Row, day: number, index: number) => void;
  private readonly random = new Random();
  private readonly row: Row = { fields: [], seconds: 0, micros: 0, line: null };
  private readonly tally = new Tally();
  private readonly firstRepeat: number;
  private readonly firstEcho: number;
  private readonly delays: readonly number[];
  /** Codes of the later days whose files may repeat rows of the block. */
  private later: readonly Uint8Array[] = [];

  constructor(options: DayOptions) {
    this.options = options;
    this.fill = options.source.rows(options.seed, options.rows);
    this.firstRepeat = 1 + options.source.blemishes.length;
    this.firstEcho = options.placement.firstEchoCode();
    this.delays = [...new Set(options.source.echoes.map((echo) => echo.delay))];
  }

  async writeTo(file: LandingFile, onBlock: (rows: number) => void): Promise<Tally> {
    const { rows, endOfLine, placement, day, days } = this.options;
    for (let block = 0; block * slotsPerBlock < rows; block++) {
      const slots = placement.slots(day, block);
      this.later = this.delays
        .filter((delay) => days.has(day + delay))
        .map((delay) => placement.slots(day + delay, block).codes);
      for (let slot = 0; slot < slots.codes.length; slot++) {
        this.make(slots, block, slot);
        const line =
          this.row.line ?? (slots.codes[slot] === 0 ? this.row.fields.join(',') : csvLine(this.row.fields));
        if (typeof line === 'string') {
          if (file.add(line + endOfLine)) await file.flush();
        } else {
          await file.addBytes(line);
          file.add(endOfLine);
        }
      }
      onBlock(Math.min(rows, (block + 1) * slotsPerBlock));
    }
    return this.tally;
  }

  private make(slots: Slots, block: number, slot: number): void {
    const { day } = this.options;
    const code = slots.codes[slot]!;
    const index = block * slotsPerBlock + slot;
    this.row.line = null;
    if (code === 0) {
      this.fill(this.row, day, index);
      this.settle(this.comesAgain(slot) ? this.verdict(day, block, slot, day) : 'kept', [], true);
    } else if (code < this.firstRepeat) this.makeBlemish(code, index);
    else if (code < this.firstEcho) this.makeRepeat(code, block, slot, slots);
    else this.makeEcho(code, block, slot);
  }

  private makeBlemish(code: number, index: number): void {
    const { source, day } = this.options;
    const blemish = source.blemishes[code - 1]!;
    this.fill(this.row, day, index);
    blemish.edit(this.row, this.dice(day, index), day);
    this.tally.seen(blemish.name);
    this.settle('kept', blemish.reasons, blemish.keyed ?? true);
  }

  private makeRepeat(code: number, block: number, slot: number, slots: Slots): void {
    const { source, day } = this.options;
    const repeat = source.repeats[(code - this.firstRepeat) >> 1]!;
    const first = block * slotsPerBlock;
    if ((code - this.firstRepeat) % 2 === 1) {
      this.fill(this.row, day, first + slot);
      this.settle(repeat.winner === 'original' ? 'kept' : 'duplicate', [], true);
      return;
    }
    this.fill(this.row, day, first + slots.originals[slot]!);
    repeat.edit(this.row, this.dice(day, first + slot), day);
    this.tally.seen(repeat.name);
    this.settle(repeat.winner === 'repeat' ? 'kept' : 'duplicate', repeat.reasons, true);
  }

  private makeEcho(code: number, block: number, slot: number): void {
    const { source, day } = this.options;
    const echo = source.echoes[code - this.firstEcho]!;
    const index = block * slotsPerBlock + slot;
    this.fill(this.row, day - echo.delay, index);
    echo.edit(this.row, this.dice(day, index), day);
    this.tally.seen(echo.name);
    this.settle(this.verdict(day - echo.delay, block, slot, day), echo.reasons, true);
  }

  private dice(day: number, index: number): Random {
    return this.random.restart(hash(this.options.seed, day, index, 3));
  }

  private settle(verdict: Verdict, reasons: readonly string[], keyed: boolean): void {
    this.tally.settled(verdict, reasons, keyed, this.options.deliveries);
  }

  private comesAgain(slot: number): boolean {
    return this.later.some((codes) => codes[slot]! >= this.firstEcho);
  }

  /** What becomes of the copy in `day`'s file of the clean row that stands at a slot of `origin`'s file. */
  private verdict(origin: number, block: number, slot: number, day: number): Verdict {
    const { source, days } = this.options;
    let own: Copy | null = null;
    const copies: Copy[] = [];
    const add = (copy: Copy): void => {
      copies.push(copy);
      if (copy.day === day) own = copy;
    };
    if (days.has(origin)) add({ day: origin, shift: 0 });
    for (const delay of this.delays) {
      if (!days.has(origin + delay)) continue;
      const code = this.options.placement.slots(origin + delay, block).codes[slot]! - this.firstEcho;
      const echo = source.echoes[code];
      if (echo?.delay === delay) add({ day: origin + delay, shift: echo.shift });
    }
    return own === null || copies.length < 2 ? 'kept' : source.verdict(own, copies);
  }
}
