import type { AwsBed } from './test-bed.ts';

/** Stands in where there is no bed, so that a file of skipped tests can still be read. */
export const noBed: AwsBed = { endpoint: 'http://127.0.0.1:9', region: 'us-east-1', httpfs: '', python: '' };

/** Credentials that the emulator takes. */
export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Options for any SDK client of a test; the product's own are made from `awsEnvironment` or its settings. */
export function clientOptionsOf({ endpoint, region }: AwsBed) {
  return { endpoint, region, credentials: testCredentials };
}

/** An S3 client needs more: the bed knows buckets by path only. */
export function s3OptionsOf(bed: AwsBed) {
  return { ...clientOptionsOf(bed), forcePathStyle: true };
}

/** For processes, and for code that takes AWS's standard chain. */
export function awsEnvironment({ endpoint, region }: AwsBed): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
  };
}
