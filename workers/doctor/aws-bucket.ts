import { inspectBucket } from '../../engines/s3/inspect.ts';
import { awsOptions } from '../aws-watching.ts';
import type { Config } from '../config.ts';
import { looked, note, ok, type Finding } from './finding.ts';

/** How the bucket is set up. What is not as it is advised is a note: it works without. */
export async function bucketFindings(config: Config, location: string): Promise<readonly Finding[]> {
  const bucket = inspectBucket(awsOptions(config), config.bucket!, '');
  try {
    return [
      ok('Bucket', location),
      await looked('Bucket versioning', async () =>
        (await bucket.isVersioned())
          ? ok('Bucket versioning', 'on')
          : note('Bucket versioning', 'off', 'Turn it on: what is deleted by mistake can then be had back.'),
      ),
      await looked('Bucket encryption', async () => {
        if (config.kmsKey !== null) return ok('Bucket encryption', `aws:kms (${config.kmsKey})`);
        const found = await bucket.encryption();
        return found === null
          ? note('Bucket encryption', 'no default', 'Set one, or aws.kms_key.')
          : ok('Bucket encryption', found);
      }),
      await looked('Bucket public access', async () =>
        (await bucket.isClosedToPublic())
          ? ok('Bucket public access', 'blocked')
          : note(
              'Bucket public access',
              'not blocked by the bucket',
              'Turn all four blocks on, unless the account has them.',
            ),
      ),
      await looked('Bucket uploads', async () => {
        const days = await bucket.incompleteUploadDays();
        return days === null
          ? note(
              'Bucket uploads',
              'parts of uploads that nobody completed are kept, and paid for, for ever',
              'Give the bucket a lifecycle rule that aborts incomplete multipart uploads after 7 days.',
            )
          : ok('Bucket uploads', `ended when not completed after ${days} days`);
      }),
    ];
  } finally {
    bucket.close();
  }
}
