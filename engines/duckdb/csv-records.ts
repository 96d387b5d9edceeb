const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Where a scan stands: at a field's first byte, in a bare field, in a quoted one, behind its closing quote, or behind that and a CR. */
type Mode = 'field' | 'bare' | 'quoted' | 'closed' | 'closed-cr';

export interface Field {
  readonly start: number;
  readonly end: number;
  /** Holds doubled quotes that stand for one. */
  readonly escaped: boolean;
}

/**
 * Finds the end of one record, over as many buffers as it takes. A quote opens a quoted field only as the field's first
 * byte; inside, two quotes stand for one. A quote in a bare field, or anything but a comma or line end behind a closing
 * quote, breaks the rules: the field goes on as a bare one and the record is malformed.
 */
export class RecordScan {
  broken = false;
  /** Line ends met inside the record. */
  innerLines = 0;
  readonly fields: Field[] = [];
  readonly #keepFields: boolean;
  #mode: Mode = 'field';
  #start = 0;
  #end = 0;
  #escaped = false;

  /** Without fields only the record's end is found, in constant memory. */
  constructor(keepFields: boolean) {
    this.#keepFields = keepFields;
  }

  /** Index behind the record's line end, or -1 when `bytes[from, to)` does not hold it: go on with the next buffer. */
  advance(bytes: Buffer, from: number, to: number): number {
    if (this.#mode === 'field' && this.fields.length === 0) this.#start = from;
    let at = from;
    while (at < to) {
      if (this.#mode === 'quoted') {
        at = this.#insideQuotes(bytes, at, to);
        continue;
      }
      const byte = bytes[at]!;
      if (byte === lineFeed) {
        this.#endField(
          this.#mode === 'bare' && bytes[at - 1] === carriageReturn && at > this.#start ? at - 1 : at,
        );
        return at + 1;
      }
      this.#step(byte, at);
      at += 1;
    }
    return -1;
  }

  #insideQuotes(bytes: Buffer, at: number, to: number): number {
    const closing = bytes.indexOf(quote, at);
    const stop = closing === -1 || closing >= to ? to : closing;
    for (
      let line = bytes.indexOf(lineFeed, at);
      line !== -1 && line < stop;
      line = bytes.indexOf(lineFeed, line + 1)
    )
      this.innerLines += 1;
    if (stop === to) return to;
    this.#mode = 'closed';
    this.#end = closing;
    return closing + 1;
  }

  #step(byte: number, at: number): void {
    if (byte === comma && this.#mode !== 'closed-cr') {
      this.#endField(at);
      this.#mode = 'field';
      this.#start = at + 1;
      return;
    }
    switch (this.#mode) {
      case 'field':
        this.#mode = byte === quote ? 'quoted' : 'bare';
        if (byte === quote) this.#start = at + 1;
        return;
      case 'closed':
        if (byte === quote) {
          this.#escaped = true;
          this.#mode = 'quoted';
        } else if (byte === carriageReturn) this.#mode = 'closed-cr';
        else this.#break();
        return;
      case 'closed-cr':
        this.#break();
        return;
      case 'bare':
        if (byte === quote) this.broken = true;
        return;
      case 'quoted':
    }
  }

  #break(): void {
    this.broken = true;
    this.#mode = 'bare';
  }

  #endField(at: number): void {
    const closed = this.#mode === 'closed' || this.#mode === 'closed-cr';
    if (this.#keepFields)
      this.fields.push({ start: this.#start, end: closed ? this.#end : at, escaped: this.#escaped });
    this.#escaped = false;
  }

  /** Ends the record at the end of the file, without a line end; an open quote breaks the rules. */
  finish(to: number): void {
    if (this.#mode === 'quoted' || this.#mode === 'closed-cr') this.broken = true;
    this.#endField(to);
  }
}

/** The text of a field of a well-formed record. */
export function fieldText(bytes: Buffer, field: Field): string {
  const text = bytes.toString('utf8', field.start, field.end);
  return field.escaped ? text.replaceAll('""', '"') : text;
}
