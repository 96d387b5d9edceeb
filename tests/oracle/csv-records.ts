/** One record as it stands in a file. `fields` is null where the record cannot be read as CSV text. */
export interface CsvRecord {
  /** Line of the file on which the record starts, the first being 1. */
  readonly line: number;
  readonly fields: readonly string[] | null;
  /** The record's text without its line end; bytes that are not UTF-8 show as U+FFFD. */
  readonly raw: string;
}

export interface CsvFile {
  readonly header: readonly string[];
  readonly records: readonly CsvRecord[];
}

const [quote, comma, carriageReturn, lineFeed] = [0x22, 0x2c, 0x0d, 0x0a];

/** Splits a file of bytes by the grammar of RFC 4180, with LF allowed for CRLF and a byte order mark dropped. */
export function splitCsv(bytes: Uint8Array): CsvFile {
  const records: CsvRecord[] = [];
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let line = 1;
  while (at < bytes.length) {
    const { end, next, fields } = scanRecord(bytes, at);
    const text = bytes.subarray(at, end);
    records.push({
      line,
      fields: fields?.every(isUtf8) ? fields.map(unquoted) : null,
      raw: new TextDecoder('utf-8', { ignoreBOM: true }).decode(text),
    });
    for (let index = at; index < next; index++) if (bytes[index] === lineFeed) line++;
    at = next;
  }
  return { header: records[0]?.fields ?? [], records: records.slice(1) };
}

/** Finds the record that starts at `from`: where its text ends, where the next begins, its fields as written, or null when the quoting is broken. */
function scanRecord(
  bytes: Uint8Array,
  from: number,
): { end: number; next: number; fields: Uint8Array[] | null } {
  const fields: Uint8Array[] = [];
  for (let start = from; ;) {
    const end = bytes[start] === quote ? endOfQuoted(bytes, start) : endOfPlain(bytes, start);
    if (end === null) return { ...endOfLine(bytes, start, from), fields: null };
    fields.push(bytes.subarray(start, end));
    if (bytes[end] === comma) start = end + 1;
    else
      return {
        end,
        next: end >= bytes.length ? bytes.length : end + (bytes[end] === carriageReturn ? 2 : 1),
        fields,
      };
  }
}

function endsField(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  return (
    at >= bytes.length ||
    byte === comma ||
    byte === lineFeed ||
    (byte === carriageReturn && bytes[at + 1] === lineFeed)
  );
}

function endOfPlain(bytes: Uint8Array, start: number): number | null {
  let at = start;
  while (!endsField(bytes, at)) if (bytes[at++] === quote) return null;
  return at;
}

function endOfQuoted(bytes: Uint8Array, start: number): number | null {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] !== quote) continue;
    if (bytes[at + 1] === quote) at++;
    else return endsField(bytes, at + 1) ? at + 1 : null;
  }
  return null;
}

/** A record with broken quoting ends with the line on which it breaks: the first line end that is not inside a well-formed part of it. */
function endOfLine(bytes: Uint8Array, start: number, from: number): { end: number; next: number } {
  let at = start;
  if (bytes[at] === quote) {
    at++;
    while (at < bytes.length && (bytes[at] !== quote || bytes[at + 1] === quote))
      at += bytes[at] === quote ? 2 : 1;
  }
  while (at < bytes.length && bytes[at] !== lineFeed) at++;
  const end = at > from && bytes[at - 1] === carriageReturn && at < bytes.length ? at - 1 : at;
  return { end, next: Math.min(at + 1, bytes.length) };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function unquoted(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** Without what ECMAScript's `trim` takes for white space at both ends. */
export function trimmed(text: string): string {
  return text.trim();
}

/** By code point, which is the order of UTF-8's bytes. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Field by field, in column order. */
export function compareFields(a: readonly string[], b: readonly string[]): number {
  for (const [index, text] of a.entries()) {
    const order = compareText(text, b[index]!);
    if (order !== 0) return order;
  }
  return 0;
}
