import { S3Client } from '@aws-sdk/client-s3';
import { TerminalError } from '../../ports/errors.ts';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';

/** The region that AWS's standard chain gives: for those that are no SDK client. */
export async function regionOf(options: AwsOptions): Promise<string> {
  const client = new S3Client(clientOptions(options));
  try {
    return await client.config.region();
  } catch (error) {
    throw new TerminalError(
      {
        expected: 'a region of AWS',
        found: error instanceof Error ? error.message : String(error),
        remedy: 'Set AWS_REGION, the region of the profile, or aws.region.',
      },
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}
