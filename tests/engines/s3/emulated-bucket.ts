import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { openS3ObjectStore, type S3ObjectStoreOptions } from '../../../engines/s3/object-store.ts';

/** The emulator of the test bed. */
export function emulator(): { readonly endpoint: string; readonly region: string; readonly httpfs: string } {
  return {
    endpoint: process.env['S3_TEST_ENDPOINT']!,
    region: 'us-east-1',
    httpfs: process.env['S3_TEST_HTTPFS']!,
  };
}

export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** A client without retries, for looking behind the store. */
export function plainClient(): S3Client {
  const { endpoint, region } = emulator();
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: testCredentials,
    maxAttempts: 1,
  });
}

export const bucketName = `ingot-${process.pid}-${randomUUID().slice(0, 8)}`;
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
  const { endpoint, region } = emulator();
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
