import { isUtf8 } from 'node:buffer';
import { fieldText, type RecordScan } from './csv-records.ts';

/** A longer record is malformed whatever it holds. */
export const maxRecordBytes = 4 << 20;
/** Characters of a malformed record that are kept as its raw text. */
export const maxRawCharacters = 65_536;

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
  readonly escaped: boolean;
  readonly #fields: number;
  readonly #source: Buffer;
  #text = Buffer.alloc(0);
  #length = 0;

  constructor(source: Buffer, fields: number) {
    this.#source = source;
    this.#fields = fields;
    this.escaped = [fieldSeparator, recordSeparator, escape].some((byte) => source.includes(byte));
  }

  get bytes(): Buffer {
    return this.#length === 0 ? Buffer.of(0x01) : this.#text.subarray(0, this.#length);
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
    const prefix = `${this.count === 0 ? '' : '\x1e'}${line}\x1f${malformed ? '1' : '0'}\x1f`;
    this.count += 1;
    this.#reserve(prefix.length);
    this.#length += this.#text.write(prefix, this.#length, 'latin1');
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
