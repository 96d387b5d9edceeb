import { orAborted } from './abort-signal.ts';

const smallestPartBytes = 8 << 20;
/** S3 takes 10,000 parts, so they double every 2,000: objects up to 484 GiB, small ones in small memory. */
const partsPerSize = 2000;

export function partBytes(number: number): number {
  return smallestPartBytes * 2 ** Math.floor((number - 1) / partsPerSize);
}

/** Cuts a body into the parts of an upload; an empty body is one empty part. Gives up on a source that hangs when aborted. */
export async function* parts(
  body: AsyncIterable<Uint8Array> | Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let number = 1;
  if (body instanceof Uint8Array) {
    let at = 0;
    do {
      const end = at + partBytes(number);
      yield body.subarray(at, end);
      at = end;
      number += 1;
    } while (at < body.length);
    return;
  }
  let part = new Gathered(partBytes(number));
  for await (const chunk of abortable(body, signal)) {
    for (let rest = chunk; rest.length > 0;) {
      rest = part.add(rest);
      if (!part.full) continue;
      yield part.bytes;
      number += 1;
      part = new Gathered(partBytes(number));
    }
  }
  if (part.bytes.length > 0 || number === 1) yield part.bytes;
}

/** A part on its way; its buffer grows with the body, so that a small object costs little. */
class Gathered {
  #buffer = Buffer.alloc(0);
  #filled = 0;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get full(): boolean {
    return this.#filled === this.#size;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Takes what fits, returns the rest. */
  add(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, this.#size - this.#filled);
    const needed = this.#filled + taken.length;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(needed, 2 * this.#buffer.length)));
      this.#buffer.copy(grown, 0, 0, this.#filled);
      this.#buffer = grown;
    }
    this.#buffer.set(taken, this.#filled);
    this.#filled = needed;
    return chunk.subarray(taken.length);
  }
}

async function* abortable(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // A source that hangs would not answer: it is told, not waited for.
    if (!ended) iterator.return?.().catch(() => undefined);
  }
}
