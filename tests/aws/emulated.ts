import { awsEnvironment } from './clients.ts';
import type { AwsBed } from './test-bed.ts';

/** Options for the product's own clients, which take their credentials from AWS's standard chain, here the environment. */
export function emulated(bed: AwsBed): { readonly endpoint: string; readonly region: string } {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = awsEnvironment(bed);
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  return { endpoint: bed.endpoint, region: bed.region };
}
