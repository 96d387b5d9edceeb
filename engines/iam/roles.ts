import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { iamErrors } from './errors.ts';

export interface RoleFacts {
  readonly arn: string;
  /** The policy that says who may take the role, as JSON text. */
  readonly trust: string;
}

/** Null when there is no such role. */
export async function findRole(options: AwsOptions, name: string): Promise<RoleFacts | null> {
  const client = new IAMClient(clientOptions(options));
  try {
    const { Role } = await client.send(new GetRoleCommand({ RoleName: name }));
    const trust = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '');
    return Role?.Arn === undefined ? null : { arn: Role.Arn, trust };
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('NoSuchEntity')) return null;
    throw awsError(error, iamErrors, 'iam:GetRole', `role ${name}`);
  } finally {
    client.destroy();
  }
}
