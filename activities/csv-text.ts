/** One CSV record, every field quoted, so that an empty text stays a text. */
export function csvRecord(fields: readonly string[]): string {
  return `${fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')}\n`;
}

/** Reads PostgreSQL's CSV copy format record by record; an unquoted empty field is null. */
export async function* csvRows(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly (string | null)[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = new RecordReader();
  for await (const chunk of chunks) yield* reader.read(decoder.decode(chunk, { stream: true }));
  yield* reader.read(decoder.decode());
  yield* reader.end();
}

class RecordReader {
  #fields: (string | null)[] = [];
  #field = '';
  #quoted = false;
  #inside = false;
  /** A quote inside a quoted field was the last character: its end, or half of an escaped one. */
  #pending = false;

  *read(text: string): Iterable<readonly (string | null)[]> {
    for (const character of text) {
      if (this.#inside && !this.#pending) {
        if (character === '"') this.#pending = true;
        else this.#field += character;
        continue;
      }
      if (this.#pending) {
        this.#pending = false;
        if (character === '"') {
          this.#field += '"';
          continue;
        }
        this.#inside = false;
      }
      if (character === '"') [this.#inside, this.#quoted] = [true, true];
      else if (character === ',') this.#endField();
      else if (character === '\n') yield this.#endRecord();
      else this.#field += character;
    }
  }

  *end(): Iterable<readonly (string | null)[]> {
    if (this.#fields.length > 0 || this.#field !== '' || this.#quoted) yield this.#endRecord();
  }

  #endField(): void {
    this.#fields.push(this.#field === '' && !this.#quoted ? null : this.#field);
    this.#field = '';
    this.#quoted = false;
    this.#inside = false;
    this.#pending = false;
  }

  #endRecord(): readonly (string | null)[] {
    this.#endField();
    const fields = this.#fields;
    this.#fields = [];
    return fields;
  }
}
