import { isUtf8 } from 'node:buffer';
import { RecordScan } from './csv-records.ts';
import { OddRecords, maxRecordBytes, withoutLineEnd } from './csv-odd-records.ts';

const lineFeed = 0x0a;
const quote = 0x22;
/** Stands in a plain block for a line that is part of an odd record, so that lines keep their numbers. */
export const placeholder = 0x01;

/**
 * A stretch of a file, ready for SQL: `plain` holds lines that are whole records (no quote, no NUL, no placeholder byte,
 * valid UTF-8), split natively; `odd` holds the records that need the exact rules, taken apart here.
 */
export interface CsvBlock {
  readonly plain: Buffer;
  readonly firstLine: number;
  readonly carriageReturns: boolean;
  readonly odd: OddRecords;
  readonly records: number;
}

export interface BlockShape {
  readonly blockBytes: number;
  /** Fields a well-formed record has. */
  readonly fields: number;
  /** Line on which the first record starts. */
  readonly firstLine: number;
}

function countLineFeeds(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if (bytes[at] === lineFeed) count += 1;
  return count;
}

/** Starts of lines in `[from, to)` that are not valid UTF-8, by halving. */
function undecodableLines(bytes: Buffer, from: number, to: number): number[] {
  if (from >= to || isUtf8(bytes.subarray(from, to))) return [];
  const middle = bytes.lastIndexOf(lineFeed, Math.floor((from + to) / 2)) + 1;
  const cut = middle > from ? middle : bytes.indexOf(lineFeed, from) + 1;
  if (cut === 0 || cut >= to) return [from];
  return [...undecodableLines(bytes, from, cut), ...undecodableLines(bytes, cut, to)];
}

/** Positions that make a record odd, in order. */
class Triggers {
  readonly #bytes: Buffer;
  readonly #to: number;
  readonly #next = new Map<number, number>();
  readonly #lines: number[];

  constructor(bytes: Buffer, to: number, endsWithCarriageReturn: boolean) {
    this.#bytes = bytes;
    this.#to = to;
    this.#lines = undecodableLines(bytes, 0, to);
    // A CR right before the end of the file ends no line: it is text, which the SQL would take for a line end.
    if (endsWithCarriageReturn) this.#lines.push(to - 1);
    for (const byte of [quote, 0, placeholder]) this.#next.set(byte, -1);
  }

  /** The first at or behind `from`, or -1. */
  first(from: number): number {
    let found = this.#to;
    for (const [byte, known] of this.#next) {
      let at = known;
      if (at < from) {
        at = this.#bytes.indexOf(byte, from);
        if (at === -1) at = this.#to;
        this.#next.set(byte, at);
      }
      found = Math.min(found, at);
    }
    while (this.#lines.length > 0 && this.#lines[0]! < from) this.#lines.shift();
    found = Math.min(found, this.#lines[0] ?? this.#to);
    return found >= this.#to ? -1 : found;
  }
}

interface Cut {
  readonly block: CsvBlock;
  /** Bytes of the buffer that are in the block; the rest begins an unfinished record. */
  readonly used: number;
  readonly lines: number;
}

/** Cuts the whole records off the front of `bytes`. */
function cut(bytes: Buffer, atEnd: boolean, shape: BlockShape, firstLine: number): Cut {
  const to = atEnd ? bytes.length : bytes.lastIndexOf(lineFeed) + 1;
  const triggers = new Triggers(bytes, to, atEnd && bytes.length > 0 && bytes[bytes.length - 1] === 0x0d);
  const odd = new OddRecords(bytes, shape.fields);
  const pieces: Buffer[] = [];
  let plainRecords = 0;
  let line = firstLine;
  let position = 0;
  const takePlain = (end: number) => {
    if (end === position) return;
    const unfinished = bytes[end - 1] === lineFeed ? 0 : 1;
    const lines = countLineFeeds(bytes, position, end) + unfinished;
    pieces.push(bytes.subarray(position, end - 1 + unfinished));
    plainRecords += lines;
    line += lines;
    position = end;
  };
  for (let trigger = triggers.first(0); trigger !== -1; trigger = triggers.first(position)) {
    takePlain(
      trigger === position
        ? position
        : Math.max(position, bytes.subarray(position, trigger).lastIndexOf(lineFeed) + 1 + position),
    );
    const scan = new RecordScan(true);
    let end = scan.advance(bytes, position, bytes.length);
    const ended = end !== -1;
    if (!ended) {
      if (!atEnd) return finished(position);
      scan.finish(bytes.length);
      end = bytes.length;
    }
    odd.add(scan, line, position, ended ? withoutLineEnd(bytes, position, end) : end);
    for (let inner = 0; inner <= scan.innerLines; inner += 1) pieces.push(Buffer.of(placeholder));
    line += scan.innerLines + 1;
    position = end;
  }
  takePlain(to);
  return finished(to);

  function finished(used: number): Cut {
    const block = {
      plain: joined(pieces),
      firstLine,
      carriageReturns: bytes.includes(0x0d),
      odd,
      records: plainRecords + odd.count,
    };
    return { block, used, lines: line - firstLine };
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  if (pieces.length === 0) return Buffer.of(placeholder);
  if (pieces.length === 1) return pieces[0]!;
  const whole = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + piece.length + 1, -1));
  let at = 0;
  for (const piece of pieces) {
    at += piece.copy(whole, at);
    if (at < whole.length) whole[at++] = lineFeed;
  }
  return whole;
}

/** A record too long to be held: only its end is looked for. */
class GiantRecord {
  readonly #scan = new RecordScan(false);
  readonly #head: Buffer;

  constructor(start: Buffer) {
    this.#head = Buffer.from(start.subarray(0, maxRecordBytes));
    this.#scan.advance(start, 0, start.length);
  }

  /** Index behind the record in `bytes`, or -1. */
  advance(bytes: Buffer): number {
    return this.#scan.advance(bytes, 0, bytes.length);
  }

  block(shape: BlockShape, line: number): Cut {
    const odd = new OddRecords(this.#head, shape.fields);
    odd.addGiant(line, this.#head);
    const block = { plain: Buffer.of(placeholder), firstLine: line, carriageReturns: false, odd, records: 1 };
    return { block, used: 0, lines: this.#scan.innerLines + 1 };
  }
}

/** Splits the records behind the header into blocks, in constant memory whatever the file holds. */
export async function* csvBlocks(
  chunks: AsyncIterable<Uint8Array>,
  shape: BlockShape,
): AsyncGenerator<CsvBlock> {
  let line = shape.firstLine;
  let giant: GiantRecord | null = null;
  let buffer = Buffer.allocUnsafeSlow(shape.blockBytes);
  let filled = 0;
  const take = (atEnd: boolean): Cut => {
    const result = cut(buffer.subarray(0, filled), atEnd, shape, line);
    const rest = buffer.subarray(result.used, filled);
    line += result.lines;
    if (rest.length > maxRecordBytes + 1) {
      giant = new GiantRecord(rest);
      filled = 0;
    } else {
      // A fresh buffer: the block still points into the old one.
      buffer = Buffer.allocUnsafeSlow(rest.length + shape.blockBytes);
      filled = rest.copy(buffer);
    }
    return result;
  };
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0) {
      if (giant !== null) {
        const end = (giant as GiantRecord).advance(rest);
        if (end === -1) break;
        const result = (giant as GiantRecord).block(shape, line);
        line += result.lines;
        giant = null;
        rest = rest.subarray(end);
        yield result.block;
        continue;
      }
      const copied = rest.copy(buffer, filled);
      filled += copied;
      rest = rest.subarray(copied);
      if (filled === buffer.length) {
        const { block } = take(false);
        if (block.records > 0) yield block;
      }
    }
  }
  if (giant !== null) yield (giant as GiantRecord).block(shape, line).block;
  else if (filled > 0) yield take(true).block;
}
