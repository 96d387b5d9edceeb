import { GetObjectCommand } from '@aws-sdk/client-s3';
import { setTimeout as pause } from 'node:timers/promises';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import { type Bucket, status } from './bucket.ts';

/** Breaks of the connection in a row, without one more byte read, after which the reader hears of it. */
const breaksInARow = 5;
const firstPauseMs = 100;

/** What breaks off in the middle of a body comes from the wire: the request itself was answered. */
class BrokenBody extends Error {
  override readonly name = 'BrokenBody';
}

/** The bytes of one object from a position on; a connection that breaks is taken up again where it broke, on the same content. */
export class Download {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #signal: AbortSignal;
  #position: number;
  #etag: string | null = null;

  constructor(bucket: Bucket, key: string, from: number, signal: AbortSignal) {
    this.#bucket = bucket;
    this.#key = key;
    this.#position = from;
    this.#signal = signal;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let breaks = 0;
    for (;;) {
      const before = this.#position;
      try {
        yield* this.#rest();
        return;
      } catch (error) {
        if (this.#signal.aborted) throw this.#signal.reason;
        if (!(error instanceof BrokenBody)) throw error;
        breaks = this.#position > before ? 1 : breaks + 1;
        if (breaks > breaksInARow) throw this.#gaveUp(error);
        await pause(firstPauseMs * 2 ** (breaks - 1), undefined, { signal: this.#signal }).catch(() => {
          throw this.#signal.reason;
        });
      }
    }
  }

  async *#rest(): AsyncGenerator<Uint8Array> {
    const body = await this.#request();
    if (body === null) return;
    let left = body.bytes;
    try {
      for await (const chunk of broken(body.stream)) {
        this.#signal.throwIfAborted();
        this.#position += chunk.length;
        left -= chunk.length;
        yield chunk;
      }
    } finally {
      body.stream.destroy();
    }
    if (left > 0) throw new BrokenBody(`the body ended ${left} bytes early`);
  }

  /** Null when the object ends at or before the position. */
  async #request(): Promise<{ readonly stream: ByteStream; readonly bytes: number } | null> {
    try {
      const answer = await this.#bucket.client.send(
        new GetObjectCommand({
          ...this.#bucket.at(this.#key),
          ...(this.#position === 0 ? {} : { Range: `bytes=${this.#position}-` }),
          ...(this.#etag === null ? {} : { IfMatch: this.#etag }),
        }),
        { abortSignal: this.#signal },
      );
      this.#etag = answer.ETag ?? null;
      return { stream: answer.Body as unknown as ByteStream, bytes: answer.ContentLength ?? 0 };
    } catch (error) {
      if (status(error) === 416) return null;
      if (this.#etag !== null && [404, 412].includes(status(error))) throw this.#changed();
      if (isNone(error)) throw noObject(this.#bucket, this.#key, error);
      throw this.#bucket.error(error, 's3:GetObject', this.#key, this.#signal);
    }
  }

  #changed(): Error {
    return new RetryableError({
      place: this.#bucket.location(this.#key),
      expected: 'an object that stays the same while it is read',
      found: 'it was replaced or removed after the connection broke',
      remedy: 'It must be read again from its beginning.',
    });
  }

  #gaveUp(cause: Error): Error {
    return new RetryableError(
      {
        place: this.#bucket.location(this.#key),
        expected: 'a connection that holds',
        found: `it broke ${breaksInARow + 1} times at byte ${this.#position} (${cause.message})`,
        remedy: 'Check the network; it is tried again.',
      },
      { cause },
    );
  }
}

interface ByteStream extends AsyncIterable<Uint8Array> {
  destroy(): void;
}

async function* broken(stream: ByteStream): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch((error: unknown) => {
      throw new BrokenBody(error instanceof Error ? error.message : String(error), { cause: error });
    });
    if (next.done === true) return;
    yield next.value;
  }
}

export function isNone(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

export function noObject(bucket: Bucket, key: string, cause: unknown): TerminalError {
  return new TerminalError(
    {
      place: bucket.location(key),
      expected: 'an object',
      found: 'none',
      remedy: 'Check the key; list its folder to see what is there.',
    },
    { cause },
  );
}
