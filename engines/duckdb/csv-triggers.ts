import { isUtf8 } from 'node:buffer';

const lineFeed = 0x0a;
const quote = 0x22;
/** Stands in a plain block for a line that is part of an odd record, so that lines keep their numbers. */
export const placeholder = 0x01;

/** Starts of lines in `[from, to)` that are not valid UTF-8, by halving. */
function undecodableLines(bytes: Buffer, from: number, to: number): number[] {
  if (from >= to || isUtf8(bytes.subarray(from, to))) return [];
  const middle = bytes.lastIndexOf(lineFeed, Math.floor((from + to) / 2)) + 1;
  const cut = middle > from ? middle : bytes.indexOf(lineFeed, from) + 1;
  if (cut === 0 || cut >= to) return [from];
  return [...undecodableLines(bytes, from, cut), ...undecodableLines(bytes, cut, to)];
}

/** Positions that make a record odd, in order: quotes, NULs, placeholders, undecodable lines, a CR that ends the file. */
export class Triggers {
  readonly #bytes: Buffer;
  readonly #to: number;
  readonly #next = [quote, 0, placeholder].map((byte) => ({ byte, at: -1 }));
  readonly #lines: readonly number[];
  #line = 0;
  /** All of it is valid UTF-8. */
  readonly decodable: boolean;

  constructor(bytes: Buffer, to: number, endsWithCarriageReturn: boolean) {
    this.#bytes = bytes;
    this.#to = to;
    const lines = undecodableLines(bytes, 0, to);
    this.decodable = lines.length === 0;
    // Behind it comes no LF, so it ends no line: it is text, which the SQL would take for a line end.
    this.#lines = endsWithCarriageReturn ? [...lines, to - 1] : lines;
  }

  /** The first at or behind `from`, or -1. */
  first(from: number): number {
    let found = this.#to;
    for (const next of this.#next) {
      if (next.at < from) {
        const at = this.#bytes.indexOf(next.byte, from);
        next.at = at === -1 ? this.#to : at;
      }
      if (next.at < found) found = next.at;
    }
    while (this.#line < this.#lines.length && this.#lines[this.#line]! < from) this.#line += 1;
    found = Math.min(found, this.#lines[this.#line] ?? this.#to);
    return found >= this.#to ? -1 : found;
  }
}
