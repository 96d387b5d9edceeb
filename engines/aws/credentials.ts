import { fromNodeProviderChain } from '@aws-sdk/credential-providers';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When a session's credentials end; absent for keys that do not. */
  readonly expiration?: Date;
}

export type CredentialsProvider = () => Promise<AwsCredentials>;

/** Less than this before their end, credentials are fetched anew. */
const freshMs = 6 * 60_000;

/**
 * AWS's standard chain (environment, profile, SSO, web identity, task role, instance role), asked once and again before the
 * credentials end. For those that need the credentials themselves; SDK clients follow the same chain.
 */
export function awsCredentials(
  options: { readonly profile?: string; readonly region?: string } = {},
): CredentialsProvider {
  const chain = fromNodeProviderChain({
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.region === undefined ? {} : { clientConfig: { region: options.region } }),
  });
  return remembered(chain);
}

/** Asks `provider` again only when its credentials are about to end; callers at the same time share one question. */
export function remembered(provider: CredentialsProvider, now: () => number = Date.now): CredentialsProvider {
  let last: Promise<AwsCredentials> | null = null;
  const ask = (): Promise<AwsCredentials> => {
    const asked = provider();
    last = asked;
    asked.catch(() => {
      if (last === asked) last = null;
    });
    return asked;
  };
  return async () => {
    const known = await (last ?? ask());
    const left = (known.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - now();
    if (left > freshMs) return known;
    const latest = await last;
    return latest === null || latest === known ? ask() : latest;
  };
}
