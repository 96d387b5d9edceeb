import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, inject } from 'vitest';
import { openS3ObjectStore, type S3ObjectStoreOptions } from '../../../engines/s3/object-store.ts';
import { noBed, s3OptionsOf, testCredentials } from '../../aws/clients.ts';

/** The S3 of the test bed. */
export const emulator = inject('aws') ?? noBed;

/** `describe`, where there is a test bed. */
export function describeWithBed(name: string, tests: () => void): void {
  describe.skipIf(emulator === noBed)(`${name} ${inject('awsMissing')}`.trim(), tests);
}

/** A client without retries, for looking behind the store. */
export function plainClient(): S3Client {
  return new S3Client({ ...s3OptionsOf(emulator), maxAttempts: 1 });
}

const bucketName = `ingot-${process.pid}-${randomUUID().slice(0, 8)}`;
let made: Promise<unknown> | null = null;

/** One bucket for all tests of a file. */
export async function testBucket(): Promise<string> {
  const make = async () => {
    const client = plainClient();
    await client.send(new CreateBucketCommand({ Bucket: bucketName }));
    client.destroy();
  };
  made ??= make();
  await made;
  return bucketName;
}

/** An empty store of its own prefix, with a slash-free name that needs encoding. */
export async function openedStore(options: Partial<S3ObjectStoreOptions> = {}) {
  const { endpoint, region } = emulator;
  const prefix = options.prefix ?? `lake ${randomUUID()}`;
  const store = await openS3ObjectStore({
    endpoint,
    region,
    bucket: await testBucket(),
    credentials: async () => testCredentials,
    ...options,
    prefix,
  });
  return { store, prefix, [Symbol.asyncDispose]: () => store.close() };
}
