import { inject } from 'vitest';
import { emulated } from '../../aws/emulated.ts';

/** Where the product's clients of a test find AWS. */
export async function awsEndpoint(): Promise<string> {
  return emulated(inject('aws')!).endpoint;
}
