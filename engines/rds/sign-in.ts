import { Signer } from '@aws-sdk/rds-signer';
import { awsError } from '../aws/errors.ts';
import { rdsErrors } from './errors.ts';

export interface RdsDatabase {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** For a host whose name does not tell its region; null leaves that to AWS's standard chain. */
  readonly fallbackRegion: string | null;
}

/** `<instance>.<account>.<region>.rds.amazonaws.com`, also in China. */
function regionOf(host: string): string | undefined {
  return /\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
}

/** Passwords for IAM sign-in: a new token, good for 15 minutes, every time it is asked. Nothing is sent to AWS for one. */
export function rdsPassword({ host, port, user, fallbackRegion }: RdsDatabase): () => Promise<string> {
  const region = regionOf(host) ?? fallbackRegion;
  const signer = new Signer({
    hostname: host,
    port,
    username: user,
    ...(region === null ? {} : { region }),
  });
  return async () => {
    try {
      return await signer.getAuthToken();
    } catch (error) {
      throw awsError(error, rdsErrors, 'rds-db:connect', `${user} at ${host}:${port}`);
    }
  };
}
