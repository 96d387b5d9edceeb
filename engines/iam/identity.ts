import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { iamErrors } from './errors.ts';

/** Who AWS takes us for. */
export interface CallerIdentity {
  readonly account: string;
  readonly arn: string;
}

/** Needs no permission, only credentials. */
export async function callerIdentity(options: AwsOptions): Promise<CallerIdentity> {
  const client = new STSClient(clientOptions(options));
  try {
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, arn: Arn };
  } catch (error) {
    throw awsError(error, iamErrors, 'sts:GetCallerIdentity', 'AWS credentials');
  } finally {
    client.destroy();
  }
}
