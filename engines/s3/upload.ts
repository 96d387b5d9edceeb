import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { setTimeout as pause } from 'node:timers/promises';
import { RetryableError } from '../../ports/errors.ts';
import { type Bucket, status } from './bucket.ts';
import { parts } from './parts.ts';

/** Parts under way beside the one that is being filled. */
const partsAtOnce = 2;
/** For writers that meet at one key: S3 asks the later ones to come again. */
const conflictTries = 8;
/** Metadata by which a writer knows its own object when the answer to its request was lost. */
const mark = 'ingot-put';

export interface Placed {
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedAt: string;
}

/** Streams one body to one key; what it began is taken back when it fails. */
export class Upload {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #ifAbsent: boolean;
  readonly #signal: AbortSignal;
  readonly #id = randomUUID();

  constructor(bucket: Bucket, key: string, ifAbsent: boolean, signal: AbortSignal) {
    this.#bucket = bucket;
    this.#key = key;
    this.#ifAbsent = ifAbsent;
    this.#signal = signal;
  }

  /** Null when `ifAbsent` and another object is there. */
  async send(body: AsyncIterable<Uint8Array> | Uint8Array): Promise<Placed | null> {
    try {
      const cut = parts(body, this.#signal);
      const first = (await cut.next()).value as Uint8Array;
      const second = await cut.next();
      if (second.done === true) return await this.#place(() => this.#put(first), first.length);
      return await this.#multipart(first, second.value, cut);
    } catch (error) {
      throw this.#bucket.error(error, 's3:PutObject', this.#key, this.#signal);
    }
  }

  get #options() {
    return { abortSignal: this.#signal };
  }

  get #condition() {
    return this.#ifAbsent ? { IfNoneMatch: '*' } : {};
  }

  get #described() {
    return { Metadata: { [mark]: this.#id }, ...this.#bucket.encryption() };
  }

  async #put(body: Uint8Array): Promise<string> {
    const answer = await this.#bucket.client.send(
      new PutObjectCommand({
        ...this.#bucket.at(this.#key),
        Body: body,
        ...this.#condition,
        ...this.#described,
      }),
      this.#options,
    );
    return answer.ETag ?? '';
  }

  async #multipart(
    first: Uint8Array,
    second: Uint8Array,
    rest: AsyncGenerator<Uint8Array>,
  ): Promise<Placed | null> {
    const created = await this.#bucket.client.send(
      new CreateMultipartUploadCommand({
        ...this.#bucket.at(this.#key),
        ChecksumAlgorithm: 'CRC32',
        ...this.#described,
      }),
      this.#options,
    );
    const upload = { ...this.#bucket.at(this.#key), UploadId: created.UploadId! };
    const all = async function* () {
      yield first;
      yield second;
      yield* rest;
    };
    let placed: Placed | null = null;
    try {
      const sent = await this.#sendParts(upload, all());
      const complete = () => this.#complete(upload, sent.parts);
      placed = await this.#place(complete, sent.bytes);
      return placed;
    } finally {
      if (placed === null) await this.#takeBack(upload);
    }
  }

  async #complete(upload: { UploadId: string }, Parts: CompletedPart[]): Promise<string> {
    const answer = await this.#bucket.client.send(
      new CompleteMultipartUploadCommand({
        ...this.#bucket.at(this.#key),
        ...upload,
        MultipartUpload: { Parts },
        ...this.#condition,
      }),
      this.#options,
    );
    return answer.ETag ?? '';
  }

  async #sendParts(
    upload: { Bucket: string; Key: string; UploadId: string },
    bodies: AsyncGenerator<Uint8Array>,
  ): Promise<{ readonly parts: CompletedPart[]; readonly bytes: number }> {
    const done: CompletedPart[] = [];
    const underWay = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | null = null;
    let number = 0;
    let bytes = 0;
    const send = async (PartNumber: number, Body: Uint8Array): Promise<void> => {
      const { ETag, ChecksumCRC32 } = await this.#bucket.client.send(
        new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' }),
        this.#options,
      );
      done[PartNumber - 1] = { PartNumber, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) };
    };
    try {
      for await (const body of bodies) {
        number += 1;
        bytes += body.length;
        const sending: Promise<void> = send(number, body)
          .catch((error: unknown) => void (failure ??= { error }))
          .finally(() => underWay.delete(sending));
        underWay.add(sending);
        if (underWay.size >= partsAtOnce) await Promise.race(underWay);
        if (failure !== null) break;
      }
    } finally {
      await Promise.all(underWay);
    }
    if (failure !== null) throw (failure as { error: unknown }).error;
    return { parts: done, bytes };
  }

  /** Makes the object appear, whatever becomes of the answer: a repeated request may meet the object its first try made. */
  async #place(write: () => Promise<string>, bytes: number): Promise<Placed | null> {
    for (let left = conflictTries; ; left -= 1) {
      try {
        const etag = await write();
        // The object is stored, whatever becomes of the question when.
        const now = await this.#head().catch(() => null);
        const isOurs = now?.Metadata?.[mark] === this.#id;
        const modifiedAt = (isOurs ? now?.LastModified : undefined) ?? new Date();
        return { bytes, etag: plainEtag(etag), modifiedAt: modifiedAt.toISOString() };
      } catch (error) {
        const settled = await this.#settled(error, bytes);
        if (settled !== undefined) return settled;
        if (status(error) !== 409 || left === 0) throw error;
        await pause(50 + Math.random() * 200, undefined, { signal: this.#signal });
      }
    }
  }

  /** What a refused write means: ours after all, somebody else's, or undefined when it must be tried again or fails. */
  async #settled(error: unknown, bytes: number): Promise<Placed | null | undefined> {
    const isRefused = status(error) === 412 && this.#ifAbsent;
    const isGone = error instanceof Error && error.name === 'NoSuchUpload';
    if (!isRefused && !isGone) return undefined;
    const now = await this.#head();
    if (now?.Metadata?.[mark] === this.#id)
      return {
        bytes,
        etag: plainEtag(now.ETag ?? ''),
        modifiedAt: (now.LastModified ?? new Date()).toISOString(),
      };
    if (this.#ifAbsent && now !== null) return null;
    if (isRefused) return null;
    throw new RetryableError({
      expected: 'the upload to be there until it is completed',
      found: 'it was ended from outside',
      remedy: 'The attempt is tried again.',
      place: this.#bucket.location(this.#key),
    });
  }

  async #head(): Promise<HeadObjectCommandOutput | null> {
    try {
      return await this.#bucket.client.send(new HeadObjectCommand(this.#bucket.at(this.#key)), this.#options);
    } catch (error) {
      if (status(error) === 404) return null;
      throw await this.#bucket.explained(error, this.#key, this.#signal);
    }
  }

  /** Not stopped by the caller's signal. What cannot be taken back now is no object either; `abortUploads` finds it later. */
  async #takeBack(upload: { Bucket: string; Key: string; UploadId: string }): Promise<void> {
    await this.#bucket.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
  }
}

export function plainEtag(etag: string): string {
  return etag.replace(/^(W\/)?"(.*)"$/, '$2');
}
