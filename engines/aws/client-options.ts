/** What every AWS client is made with. Credentials, region and endpoint come from AWS's own standard chain unless given here. */
export interface AwsOptions {
  readonly region?: string;
  /** Of an emulator or a VPC endpoint; AWS_ENDPOINT_URL does the same. */
  readonly endpoint?: string;
}

/** Tries of one call, the first included, with the SDK's own growing pauses: a throttling storm is then our RetryableError. */
const maxAttempts = 4;

export function clientOptions({ region, endpoint }: AwsOptions) {
  return {
    maxAttempts,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}
