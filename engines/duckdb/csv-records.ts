const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Where a scan stands: at a field's first byte, in a bare field, in a quoted one, behind its closing quote, behind that
 * and a CR, or in a record whose quoting is broken.
 */
type Mode = 'field' | 'bare' | 'quoted' | 'closed' | 'closed-cr' | 'broken';

export interface Field {
  readonly start: number;
  readonly end: number;
  /** Holds doubled quotes that stand for one. */
  readonly escaped: boolean;
}

/**
 * Finds the end of one record, over as many buffers as it takes. A quote opens a quoted field only as the field's first
 * byte; inside, two quotes stand for one. A quote in a bare field, or anything but a comma or line end behind a closing
 * quote, breaks the record: it ends with the line it breaks on, whatever quotes follow.
 */
export class RecordScan {
  /** Line ends met inside the record. */
  innerLines = 0;
  readonly fields: Field[] = [];
  readonly #keepFields: boolean;
  #mode: Mode = 'field';
  #start = -1;
  #end = 0;
  #escaped = false;

  /** Without fields only the record's end is found, in constant memory. */
  constructor(keepFields: boolean) {
    this.#keepFields = keepFields;
  }

  get broken(): boolean {
    return this.#mode === 'broken';
  }

  /** Index behind the record's line end, or -1 when `bytes[from, to)` does not hold it: go on with the next buffer. */
  advance(bytes: Buffer, from: number, to: number): number {
    if (this.#start === -1) this.#start = from;
    let at = from;
    while (at < to) {
      if (this.#mode === 'quoted') at = this.#throughQuotes(bytes, at, to);
      else if (this.#mode === 'broken') return this.#throughLine(bytes, at, to);
      else {
        const byte = bytes[at]!;
        if (byte === lineFeed) {
          this.#endField(this.#mode === 'bare' && bytes[at - 1] === carriageReturn ? at - 1 : at);
          return at + 1;
        }
        this.#step(byte, at);
        at += 1;
      }
    }
    return -1;
  }

  #throughQuotes(bytes: Buffer, from: number, to: number): number {
    const closing = bytes.indexOf(quote, from);
    const stop = closing === -1 || closing >= to ? to : closing;
    for (let at = bytes.indexOf(lineFeed, from); at !== -1 && at < stop; at = bytes.indexOf(lineFeed, at + 1))
      this.innerLines += 1;
    if (stop === to) return to;
    this.#mode = 'closed';
    this.#end = closing;
    return closing + 1;
  }

  #throughLine(bytes: Buffer, from: number, to: number): number {
    const at = bytes.indexOf(lineFeed, from);
    return at === -1 || at >= to ? -1 : at + 1;
  }

  #step(byte: number, at: number): void {
    if (byte === comma && this.#mode !== 'closed-cr') {
      this.#endField(at);
      this.#mode = 'field';
      this.#start = at + 1;
    } else if (this.#mode === 'field') {
      this.#mode = byte === quote ? 'quoted' : 'bare';
      if (byte === quote) this.#start = at + 1;
    } else if (this.#mode === 'bare') {
      if (byte === quote) this.#mode = 'broken';
    } else if (this.#mode === 'closed' && byte === quote) {
      this.#escaped = true;
      this.#mode = 'quoted';
    } else this.#mode = this.#mode === 'closed' && byte === carriageReturn ? 'closed-cr' : 'broken';
  }

  #endField(at: number): void {
    const end = this.#mode === 'closed' || this.#mode === 'closed-cr' ? this.#end : at;
    if (this.#keepFields) this.fields.push({ start: this.#start, end, escaped: this.#escaped });
    this.#escaped = false;
  }

  /** Ends the record at the end of the file, without a line end; a quote still open breaks it, as does a lone CR behind a closed one. */
  finish(to: number): void {
    if (this.#mode === 'quoted' || this.#mode === 'closed-cr') this.#mode = 'broken';
    this.#endField(to);
  }
}

/** The text of a field of a well-formed record. */
export function fieldText(bytes: Buffer, field: Field): string {
  const text = bytes.toString('utf8', field.start, field.end);
  return field.escaped ? text.replaceAll('""', '"') : text;
}
