import { BufferPool } from './buffer-pool.ts';
import { OddRecords, maxRecordBytes, withoutLineEnd } from './csv-odd-records.ts';
import { RecordScan } from './csv-records.ts';
import { Triggers, placeholder } from './csv-triggers.ts';
import { countLineFeeds } from './line-feeds.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

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
  /** Says that `plain` has been read and its memory may be used again. */
  release(): void;
}

export interface BlockShape {
  readonly blockBytes: number;
  /** Fields a well-formed record has. */
  readonly fields: number;
  /** Line on which the first record starts. */
  readonly firstLine: number;
}

interface Cut {
  readonly plain: readonly Buffer[];
  readonly odd: OddRecords;
  readonly records: number;
  /** Bytes of the buffer that were cut off; the rest begins an unfinished record. */
  readonly used: number;
  readonly lines: number;
}

/** Cuts the whole records off the front of `bytes`. */
function cut(bytes: Buffer, atEnd: boolean, fields: number, firstLine: number): Cut {
  const to = atEnd ? bytes.length : bytes.lastIndexOf(lineFeed) + 1;
  const triggers = new Triggers(bytes, to, atEnd && bytes[bytes.length - 1] === carriageReturn);
  const odd = new OddRecords(bytes, fields, triggers.decodable);
  const plain: Buffer[] = [];
  let records = 0;
  let line = firstLine;
  let position = 0;
  const takePlain = (end: number) => {
    if (end === position) return;
    const unfinished = bytes[end - 1] === lineFeed ? 0 : 1;
    const lines = countLineFeeds(bytes, position, end) + unfinished;
    plain.push(bytes.subarray(position, end - 1 + unfinished));
    records += lines;
    line += lines;
    position = end;
  };
  const placeLines = (count: number) => {
    for (let left = count; left > 0; left -= 1) plain.push(placeholderLine);
    line += count;
  };
  for (let trigger = triggers.first(0); trigger !== -1; trigger = triggers.first(position)) {
    if (trigger > position) takePlain(position + bytes.subarray(position, trigger).lastIndexOf(lineFeed) + 1);
    const simpleEnd = odd.addSimple(line, position, to);
    if (simpleEnd !== -1) {
      placeLines(odd.innerLines + 1);
      position = simpleEnd;
      continue;
    }
    const scan = new RecordScan(true);
    let end = scan.advance(bytes, position, bytes.length);
    const ended = end !== -1;
    if (!ended && !atEnd)
      return { plain, odd, records: records + odd.count, used: position, lines: line - firstLine };
    if (!ended) {
      scan.finish(bytes.length);
      end = bytes.length;
    }
    odd.add(scan, line, position, ended ? withoutLineEnd(bytes, position, end) : end);
    placeLines(scan.innerLines + 1);
    position = end;
  }
  takePlain(to);
  return { plain, odd, records: records + odd.count, used: to, lines: line - firstLine };
}

const placeholderLine = Buffer.of(placeholder);

function joined(pieces: readonly Buffer[], pool: BufferPool): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length + 1, -1);
  const whole = pool.take(length).subarray(0, length);
  let at = 0;
  for (const piece of pieces) {
    if (piece === placeholderLine) whole[at++] = placeholder;
    else at += piece.copy(whole, at);
    if (at < length) whole[at] = lineFeed;
    at += 1;
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

  get lines(): number {
    return this.#scan.innerLines + 1;
  }

  /** Index behind the record in `bytes`, or -1. */
  advance(bytes: Buffer): number {
    return this.#scan.advance(bytes, 0, bytes.length);
  }

  block(fields: number, line: number): CsvBlock {
    const odd = new OddRecords(this.#head, fields, false);
    odd.addGiant(line, this.#head);
    return {
      plain: placeholderLine,
      firstLine: line,
      carriageReturns: false,
      odd,
      records: 1,
      release: () => undefined,
    };
  }
}

/** Gathers chunks into buffers and cuts these into blocks. */
class BlockCutter {
  readonly #shape: BlockShape;
  readonly #pool = new BufferPool();
  #buffer: Buffer;
  #filled = 0;
  #line: number;
  #giant: GiantRecord | null = null;

  constructor(shape: BlockShape) {
    this.#shape = shape;
    this.#buffer = this.#pool.take(shape.blockBytes);
    this.#line = shape.firstLine;
  }

  *add(chunk: Buffer): Generator<CsvBlock> {
    for (let rest = chunk; rest.length > 0;) {
      if (this.#giant !== null) {
        const end = this.#giant.advance(rest);
        if (end === -1) return;
        yield this.#endGiant(this.#giant);
        rest = rest.subarray(end);
      }
      const copied = rest.copy(this.#buffer, this.#filled);
      this.#filled += copied;
      rest = rest.subarray(copied);
      if (this.#filled === this.#buffer.length) yield* this.#take(false);
    }
  }

  *finish(): Generator<CsvBlock> {
    if (this.#giant !== null) yield this.#endGiant(this.#giant);
    else if (this.#filled > 0) yield* this.#take(true);
  }

  #endGiant(giant: GiantRecord): CsvBlock {
    const block = giant.block(this.#shape.fields, this.#line);
    this.#line += giant.lines;
    this.#giant = null;
    return block;
  }

  *#take(atEnd: boolean): Generator<CsvBlock> {
    const raw = this.#buffer;
    const result = cut(raw.subarray(0, this.#filled), atEnd, this.#shape.fields, this.#line);
    const firstLine = this.#line;
    this.#line += result.lines;
    this.#keep(raw.subarray(result.used, this.#filled));
    if (result.records === 0) return this.#pool.give(raw);
    const carriageReturns = raw.subarray(0, result.used).includes(carriageReturn);
    const { odd, records } = result;
    // Without odd records the buffer goes to SQL as it is; otherwise its plain stretches are put together elsewhere.
    const whole = result.plain.length === 1 ? raw : joined(result.plain, this.#pool);
    const plain = result.plain.length === 1 ? result.plain[0]! : whole;
    if (whole !== raw) this.#pool.give(raw);
    yield {
      plain,
      firstLine,
      carriageReturns,
      odd,
      records,
      release: () => this.#pool.give(wholeBuffer(whole)),
    };
  }

  /** The unfinished record goes on in the next buffer, unless it is too long to be held. */
  #keep(rest: Buffer): void {
    this.#filled = 0;
    this.#buffer = this.#pool.take(Math.min(rest.length, maxRecordBytes + 1) + this.#shape.blockBytes);
    if (rest.length > maxRecordBytes + 1) this.#giant = new GiantRecord(rest);
    else this.#filled = rest.copy(this.#buffer);
  }
}

function wholeBuffer(part: Buffer): Buffer {
  return Buffer.from(part.buffer as ArrayBuffer);
}

/** Splits the records behind the header into blocks, in constant memory whatever the file holds. */
export async function* csvBlocks(
  chunks: AsyncIterable<Uint8Array>,
  shape: BlockShape,
): AsyncGenerator<CsvBlock> {
  const cutter = new BlockCutter(shape);
  for await (const chunk of chunks)
    yield* cutter.add(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  yield* cutter.finish();
}
