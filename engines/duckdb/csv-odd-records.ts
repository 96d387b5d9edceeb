import { isUtf8 } from 'node:buffer';
import { fieldText, type RecordScan } from './csv-records.ts';

/** A longer record is malformed whatever it holds. */
export const maxRecordBytes = 4 << 20;
/** Characters of a malformed record that are kept as its raw text. */
export const maxRawCharacters = 65_536;

const longestSimpleBytes = 1 << 16;

const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const fieldSeparator = 0x1f;
const recordSeparator = 0x1e;
const escape = 0x02;

function escapedText(text: string): string {
  return text.replaceAll('\x02', '\x02b').replaceAll('\x1e', '\x02e').replaceAll('\x1f', '\x02f');
}

/** The first characters, never half of one. */
function firstCharacters(text: string): string {
  let at = 0;
  for (let count = 0; count < maxRawCharacters && at < text.length; count += 1)
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return text.slice(0, at);
}

function rawText(bytes: Buffer, from: number, to: number): string {
  return firstCharacters(
    bytes.toString('utf8', from, Math.min(to, from + 4 * maxRawCharacters + 4)).replaceAll('\0', '\uFFFD'),
  );
}

/** End of the text of a record that ends with a line feed at `end`. */
export function withoutLineEnd(bytes: Buffer, from: number, end: number): number {
  return end - 1 > from && bytes[end - 2] === 0x0d ? end - 2 : end - 1;
}

/**
 * Records taken apart by the exact rules, written one behind the other for SQL to split again: line number, `0` and the
 * fields, or line number, `1` and the raw text, between separators that no text holds (`escaped` says when some would).
 */
export class OddRecords {
  count = 0;
  /** Line ends inside the record last added by `addSimple`. */
  innerLines = 0;
  readonly escaped: boolean;
  readonly #fields: number;
  readonly #simple: boolean;
  readonly #source: Buffer;
  #text = Buffer.alloc(0);
  #length = 0;

  /** `decodable`: the source is known to be valid UTF-8. */
  constructor(source: Buffer, fields: number, decodable: boolean) {
    this.#source = source;
    this.#fields = fields;
    this.escaped = [fieldSeparator, recordSeparator, escape].some((byte) => source.includes(byte));
    this.#simple = decodable && !this.escaped && !source.includes(0);
  }

  get bytes(): Buffer {
    return this.#length === 0 ? Buffer.of(0x01) : this.#text.subarray(0, this.#length);
  }

  /**
   * The record at `from` in one quick pass, when it is well formed, has its fields, is not long and ends before `to`:
   * index behind its line end, or -1, and then nothing was added. Files that quote everything consist of such records.
   */
  addSimple(line: number, from: number, to: number): number {
    if (!this.#simple) return -1;
    const source = this.#source;
    const stop = Math.min(to, from + longestSimpleBytes);
    this.#reserve(stop - from + 32);
    const text = this.#text;
    const begun = this.#prefix(line);
    let out = begun;
    let innerLines = 0;
    let fields = 1;
    for (let at = from; at < stop;) {
      let byte = source[at]!;
      if (byte === quote) {
        for (at += 1; ; text[out++] = byte) {
          if (at >= stop) return -1;
          byte = source[at++]!;
          if (byte === lineFeed) innerLines += 1;
          if (byte === quote && (at >= stop || source[at++] !== quote)) break;
        }
        byte = source[(at -= 1)]!;
        if (byte === carriageReturn && source[at + 1] === lineFeed) byte = source[(at += 1)]!;
        if (at >= stop || (byte !== comma && byte !== lineFeed)) return -1;
      } else {
        const start = at;
        while (byte !== comma && byte !== lineFeed) {
          if (byte === quote || at >= stop) return -1;
          text[out++] = byte;
          byte = source[(at += 1)]!;
        }
        if (byte === lineFeed && at > start && source[at - 1] === carriageReturn) out -= 1;
      }
      at += 1;
      if (byte === lineFeed) {
        if (fields !== this.#fields || at > stop) return -1;
        this.#length = out;
        this.count += 1;
        this.innerLines = innerLines;
        return at;
      }
      fields += 1;
      text[out++] = fieldSeparator;
    }
    return -1;
  }

  /** The record in `[from, to)` of the source, without its line end. */
  add(scan: RecordScan, line: number, from: number, to: number): void {
    const record = this.#source.subarray(from, to);
    const malformed =
      scan.broken ||
      scan.fields.length !== this.#fields ||
      to - from > maxRecordBytes ||
      record.includes(0) ||
      !isUtf8(record);
    this.#begin(line, malformed);
    if (malformed) this.#appendText(rawText(this.#source, from, to));
    else {
      for (const [at, field] of scan.fields.entries()) {
        if (at > 0) this.#appendByte(fieldSeparator);
        if (field.escaped || this.escaped) this.#appendText(fieldText(this.#source, field));
        else this.#appendBytes(field.start, field.end);
      }
    }
  }

  /** A record of which only the beginning is held. */
  addGiant(line: number, head: Buffer): void {
    this.#begin(line, true);
    this.#appendText(rawText(head, 0, head.length));
  }

  #begin(line: number, malformed: boolean): void {
    this.#reserve(32);
    this.#length = this.#prefix(line);
    if (malformed) this.#text[this.#length - 2] = 0x31;
    this.count += 1;
  }

  /** Writes what stands before a well-formed record's fields and tells where these begin. */
  #prefix(line: number): number {
    let out = this.#length;
    if (this.count > 0) this.#text[out++] = recordSeparator;
    let digits = 1;
    for (let rest = line; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
    for (let rest = line, at = out + digits - 1; at >= out; at -= 1, rest = Math.floor(rest / 10))
      this.#text[at] = 0x30 + (rest % 10);
    out += digits;
    this.#text[out++] = fieldSeparator;
    this.#text[out++] = 0x30;
    this.#text[out++] = fieldSeparator;
    return out;
  }

  #appendText(text: string): void {
    const safe = this.escaped ? escapedText(text) : text;
    this.#reserve(safe.length * 3);
    this.#length += this.#text.write(safe, this.#length, 'utf8');
  }

  #appendByte(byte: number): void {
    this.#reserve(1);
    this.#text[this.#length] = byte;
    this.#length += 1;
  }

  #appendBytes(from: number, to: number): void {
    this.#reserve(to - from);
    this.#length += this.#source.copy(this.#text, this.#length, from, to);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#text.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(1 << 16, 2 * (this.#length + more)));
    this.#text.copy(larger, 0, 0, this.#length);
    this.#text = larger;
  }
}
