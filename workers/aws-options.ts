import type { AwsOptions } from '../engines/aws/client-options.ts';
import type { Config } from './config.ts';

/** What AWS clients are made with, beyond AWS's own standard chain. */
export function awsOptions({ region }: Pick<Config, 'region'>): AwsOptions {
  return region === null ? {} : { region };
}
