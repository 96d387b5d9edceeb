/** The emulator of the test run, or null where there is none. */
export function awsEndpoint(): string | null {
  return process.env['INGOT_TEST_AWS_ENDPOINT'] ?? null;
}

export const noEmulator = 'no AWS emulator on this machine';

export const awsRegion = 'us-east-1';

/** What clients of the emulator are made with; what it knows as credentials is in the environment. */
export function emulated(endpoint: string): { readonly endpoint: string; readonly region: string } {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  return { endpoint, region: awsRegion };
}
