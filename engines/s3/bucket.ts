import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { awsError } from '../aws/errors.ts';
import { s3Errors } from './errors.ts';

/** Where a store's objects are and how its calls are made and explained. */
export class Bucket {
  readonly client: S3Client;
  readonly name: string;
  /** Empty, or a path that ends with a slash. */
  readonly prefix: string;
  readonly #kmsKeyId: string | undefined;

  constructor(client: S3Client, name: string, prefix: string, kmsKeyId: string | undefined) {
    this.client = client;
    this.name = name;
    this.prefix = prefix;
    this.#kmsKeyId = kmsKeyId;
  }

  at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.name, Key: this.prefix + key };
  }

  location(key: string): string {
    return `s3://${this.name}/${this.prefix}${key}`;
  }

  /** Headers of what is written; without a key of its own the bucket's default encryption applies. */
  encryption() {
    if (this.#kmsKeyId === undefined) return {};
    return { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: this.#kmsKeyId, BucketKeyEnabled: true };
  }

  /** What a call ended with, in the product's terms: the caller's own reason when it has given up. */
  error(error: unknown, action: string, key: string, signal?: AbortSignal): unknown {
    if (signal?.aborted === true) return signal.reason;
    return awsError(error, s3Errors, action, this.location(key));
  }

  /** A listing answers with a body that names what is wrong, which the HEAD request of HeadBucket cannot. */
  async check(): Promise<void> {
    try {
      await this.client.send(
        new ListObjectsV2Command({ Bucket: this.name, Prefix: this.prefix, MaxKeys: 1 }),
      );
    } catch (error) {
      throw this.error(error, 's3:ListBucket', '');
    }
  }

  /** The answer to a HEAD has no body: only the same question as a GET tells an expired token from a missing permission. */
  async explained(error: unknown, key: string, signal: AbortSignal | undefined): Promise<unknown> {
    if (!(error instanceof Error) || !('$metadata' in error))
      return this.error(error, 's3:GetObject', key, signal);
    try {
      const answer = await this.client.send(
        new GetObjectCommand({ ...this.at(key), Range: 'bytes=0-0' }),
        signal === undefined ? {} : { abortSignal: signal },
      );
      await answer.Body?.transformToByteArray();
      return this.error(error, 's3:GetObject', key, signal);
    } catch (closer) {
      return this.error(closer, 's3:GetObject', key, signal);
    }
  }
}

export function status(error: unknown): number {
  if (!(error instanceof Error) || !('$metadata' in error)) return 0;
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode ?? 0;
}
