import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { awsError } from './errors.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When a session's credentials end; absent for keys that do not. */
  readonly expiration?: Date;
}

export type CredentialsProvider = () => Promise<AwsCredentials>;

/** A statement of DuckDB works with one set to its end: those that end sooner than this are replaced, where the source has newer ones. */
const freshMs = 15 * 60_000;
/** Some sources give the same set until shortly before its end. */
const askAgainMs = 60_000;

/**
 * AWS's standard chain (environment, profile, SSO, web identity, task role, instance role), asked once, and again well before
 * the credentials end. Throws TerminalError when it has none.
 */
export function awsCredentials(
  options: { readonly profile?: string; readonly region?: string } = {},
): CredentialsProvider {
  const chain = fromNodeProviderChain({
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.region === undefined ? {} : { clientConfig: { region: options.region } }),
  });
  return remembered(() => chain({ forceRefresh: true }));
}

/** Asks `source` once for as long as its answer is good; callers at the same time share one question. */
export function remembered(source: CredentialsProvider, now: () => number = Date.now): CredentialsProvider {
  let known: AwsCredentials | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<AwsCredentials> | null = null;
  const left = (credentials: AwsCredentials | null): number => {
    if (credentials === null) return 0;
    return (credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - now();
  };
  const ask = async (): Promise<AwsCredentials> => {
    askedAt = now();
    try {
      known = await source();
      return known;
    } catch (error) {
      // A source that fails now and then is no harm while the last answer is good.
      if (known !== null && left(known) > 0) return known;
      throw awsError(error, { retryable: [], terminal: {} }, 'sts:GetCallerIdentity', 'AWS credentials');
    } finally {
      asking = null;
    }
  };
  return async () => {
    const remaining = left(known);
    const isGood = remaining > freshMs || (remaining > 0 && now() - askedAt < askAgainMs);
    if (known !== null && isGood) return known;
    asking ??= ask();
    return asking;
  };
}
