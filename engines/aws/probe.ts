import { RetryableError } from '../../ports/errors.ts';
import { awsError } from './errors.ts';

/** A call that changes nothing, made to learn whether it is permitted. */
export type Probe = () => Promise<unknown>;

const refusals = /^(AccessDenied|AuthorizationError|UnauthorizedOperation|Forbidden)/;

interface Answered {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** False when the call is refused for want of permission; that what it names is not there shows that it was permitted. Throws what is neither. */
export async function isPermitted(probe: Probe): Promise<boolean> {
  try {
    await probe();
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const status = (error as Answered).$metadata?.httpStatusCode ?? 0;
    if (status === 403 || refusals.test(error.name)) return false;
    // Some services throttle with status 400, as if the call were wrong.
    const isBusy = awsError(error, { retryable: [], terminal: {} }, 'a probe', '') instanceof RetryableError;
    if (!isBusy && status >= 400 && status < 500) return true;
    throw error;
  }
}
