import { Signer } from '@aws-sdk/rds-signer';
import { awsError } from '../aws/errors.ts';
import { rdsErrors } from './errors.ts';

export interface RdsDatabase {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** That of the host's name, or of AWS's standard chain, unless given. */
  readonly region?: string;
}

/** `<instance>.<account>.<region>.rds.amazonaws.com`, also in China. */
function regionOf(host: string): string | undefined {
  return /\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
}

/** Passwords for IAM sign-in: a new token, good for 15 minutes, every time it is asked. Nothing is sent to AWS for one. */
export function rdsPassword({
  host,
  port,
  user,
  region = regionOf(host),
}: RdsDatabase): () => Promise<string> {
  const signer = new Signer({
    hostname: host,
    port,
    username: user,
    ...(region === undefined ? {} : { region }),
  });
  return async () => {
    try {
      return await signer.getAuthToken();
    } catch (error) {
      throw awsError(error, rdsErrors, 'rds-db:connect', `${user} at ${host}:${port}`);
    }
  };
}
