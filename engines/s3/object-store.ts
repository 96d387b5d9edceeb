import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { CallOptions } from '../../ports/abortable.ts';
import { RetryableError } from '../../ports/errors.ts';
import { checkedKey as relativeKey, checkedPrefix, refuseKey } from '../../ports/object-keys.ts';
import type { ObjectInfo, ObjectStore } from '../../ports/object-store.ts';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import type { CredentialsProvider } from '../aws/credentials.ts';
import { FollowingSignal } from './abort-signal.ts';
import { Bucket, status } from './bucket.ts';
import { type CopySizes, copyObject, s3CopySizes } from './copy.ts';
import { Download, noObject } from './download.ts';
import { abortUploads, listObjects } from './listing.ts';
import { removeObjects } from './remove.ts';
import { plainEtag, Upload } from './upload.ts';

export interface S3ObjectStoreOptions extends AwsOptions {
  readonly bucket: string;
  /** Of all keys, without slashes at its ends; absent: the whole bucket. */
  readonly prefix?: string;
  /** KMS key for what is written; absent: the bucket's default encryption. */
  readonly kmsKeyId?: string;
  /** `path` (the default where an endpoint is given) puts the bucket behind the host, `vhost` before it. */
  readonly urlStyle?: 'path' | 'vhost';
  /** Instead of the standard chain. */
  readonly credentials?: CredentialsProvider;
  /** S3's own limits, unless told otherwise. */
  readonly copySizes?: CopySizes;
}

export interface S3ObjectStore extends ObjectStore {
  /** Ends uploads under `prefix` that nobody completed, or those that began before `before`. Returns their number. */
  abortUploads(prefix: string, before?: Date): Promise<number>;
  close(): Promise<void>;
}

const maxKeyBytes = 1024;
const copyTries = 3;
/** A socket that is silent for so long is taken for dead. */
const silenceMs = 60_000;

/** Objects in one bucket, below a prefix. Throws TerminalError when the bucket cannot be listed, with what to do about it. */
export async function openS3ObjectStore(options: S3ObjectStoreOptions): Promise<S3ObjectStore> {
  const { endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'] } = options;
  const client = new S3Client({
    ...clientOptions(options),
    forcePathStyle: (options.urlStyle ?? (endpoint === undefined ? 'vhost' : 'path')) === 'path',
    requestHandler: { connectionTimeout: 5000, socketTimeout: silenceMs },
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
  const prefix = checkedPrefix(options.prefix ?? '').replace(/\/$/, '');
  const bucket = new Bucket(client, options.bucket, prefix === '' ? '' : `${prefix}/`, options.kmsKeyId);
  try {
    await bucket.check();
    return new OpenedS3ObjectStore(bucket, options.copySizes ?? s3CopySizes);
  } catch (error) {
    client.destroy();
    throw error;
  }
}

class OpenedS3ObjectStore implements S3ObjectStore {
  readonly #bucket: Bucket;
  readonly #copySizes: CopySizes;

  constructor(bucket: Bucket, copySizes: CopySizes) {
    this.#bucket = bucket;
    this.#copySizes = copySizes;
  }

  #checked(key: string): string {
    if (Buffer.byteLength(this.#bucket.prefix + relativeKey(key)) > maxKeyBytes)
      refuseKey(key, `more than the ${maxKeyBytes} bytes S3 allows`);
    return key;
  }

  async put(
    key: string,
    body: AsyncIterable<Uint8Array> | Uint8Array,
    options: CallOptions & { ifAbsent?: boolean } = {},
  ): Promise<ObjectInfo | null> {
    this.#checked(key);
    using following = new FollowingSignal(options.signal);
    following.signal.throwIfAborted();
    const upload = new Upload(this.#bucket, key, options.ifAbsent === true, following.signal);
    const placed = await upload.send(body);
    return placed === null ? null : { key, ...placed };
  }

  async *get(key: string, options: CallOptions & { from?: number } = {}): AsyncIterable<Uint8Array> {
    this.#checked(key);
    using following = new FollowingSignal(options.signal);
    following.signal.throwIfAborted();
    yield* new Download(this.#bucket, key, options.from ?? 0, following.signal).chunks();
  }

  async head(key: string): Promise<ObjectInfo | null> {
    this.#checked(key);
    try {
      const found = await this.#bucket.client.send(new HeadObjectCommand(this.#bucket.at(key)));
      return {
        key,
        bytes: found.ContentLength ?? 0,
        etag: plainEtag(found.ETag ?? ''),
        modifiedAt: (found.LastModified ?? new Date(0)).toISOString(),
      };
    } catch (error) {
      if (status(error) === 404) return null;
      throw await this.#bucket.explained(error, key, undefined);
    }
  }

  list(prefix: string): AsyncIterable<ObjectInfo> {
    return listObjects(this.#bucket, checkedPrefix(prefix));
  }

  async copy(from: string, to: string): Promise<ObjectInfo> {
    this.#checked(to);
    for (let left = copyTries; left > 0; left -= 1) {
      const source = await this.head(from);
      if (source === null) throw noObject(this.#bucket, from, undefined);
      if (from === to) return source;
      try {
        const { etag } = await copyObject(this.#bucket, source, to, this.#copySizes);
        const placed = await this.head(to);
        return {
          key: to,
          bytes: source.bytes,
          etag,
          modifiedAt: placed?.modifiedAt ?? new Date().toISOString(),
        };
      } catch (error) {
        // Replaced since it was looked at.
        if (status(error) !== 412 && status(error) !== 409)
          throw this.#bucket.error(error, 's3:PutObject', to);
      }
    }
    throw new RetryableError({
      place: this.#bucket.location(from),
      expected: 'a source that stays the same while it is copied',
      found: `it was replaced ${copyTries} times`,
      remedy: 'It is tried again.',
    });
  }

  async remove(keys: readonly string[]): Promise<void> {
    await removeObjects(
      this.#bucket,
      keys.map((key) => this.#checked(key)),
    );
  }

  location(key: string): string {
    return this.#bucket.location(checkedPrefix(key));
  }

  async abortUploads(prefix: string, before?: Date): Promise<number> {
    return abortUploads(this.#bucket, checkedPrefix(prefix), before);
  }

  async close(): Promise<void> {
    this.#bucket.client.destroy();
  }
}
