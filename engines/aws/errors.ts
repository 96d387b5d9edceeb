import { RetryableError, TerminalError } from '../../ports/errors.ts';

/** How an error of a service is to be taken, by the name the service gives it. */
export interface ErrorTable {
  readonly retryable: readonly string[];
  readonly terminal: Readonly<Record<string, string>>;
}

interface ServiceError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: object;
  readonly code?: string;
}

/** The same on every service. */
const everywhere: ErrorTable = {
  retryable: [
    'ThrottlingException',
    'Throttling',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'RequestTimeout',
    'RequestTimeoutException',
    'TimeoutError',
    'NetworkingError',
    'InternalServiceException',
    'InternalServerException',
    'InternalServerError',
    'InternalFailure',
    'ServiceUnavailable',
    'ServiceUnavailableException',
    'OperationTimeoutException',
    'ExpiredToken',
    'ExpiredTokenException',
  ],
  terminal: {
    AccessDenied: 'Grant the action to the role, or use another profile.',
    AccessDeniedException: 'Grant the action to the role, or use another profile.',
    CredentialsProviderError: 'Give credentials by AWS_PROFILE, AWS_ACCESS_KEY_ID, or the role of the task.',
    InvalidAccessKeyId: 'Use an access key that exists: `ingot doctor` shows which is taken.',
    InvalidClientTokenId: 'Use an access key that exists: `ingot doctor` shows which is taken.',
    UnrecognizedClientException: 'Use an access key that exists: `ingot doctor` shows which is taken.',
    SignatureDoesNotMatch: 'The secret access key does not belong to the access key: correct it.',
    InvalidSignatureException: 'The secret access key does not belong to the access key: correct it.',
  },
};

function isNetwork({ code = '', cause }: ServiceError & { readonly cause?: unknown }): boolean {
  const known = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR)/;
  return known.test(code) || (cause instanceof Error && isNetwork(cause as ServiceError));
}

const noWay =
  'It is tried again. If that does not help, look at the way to the service: region, endpoint, proxy, name resolution.';

/**
 * The one translation of an error of an AWS call. `action` is the IAM action (`glue:StartJobRun`), named so that a missing permission can be
 * granted; `place` says on what. An error that is ours already, or the caller's abort, is passed through.
 */
export function awsError(error: unknown, table: ErrorTable, action: string, place: string): Error {
  if (!(error instanceof Error)) return new TypeError(`${action}: ${String(error)}`);
  if (error instanceof TerminalError || error instanceof RetryableError) return error;
  if (error.name === 'AbortError') return error;
  const failed = error as ServiceError;
  const facts = { place, expected: `${action} to be answered`, found: `${error.name}: ${error.message}` };
  const remedy = { ...everywhere.terminal, ...table.terminal }[error.name];
  if (remedy !== undefined) {
    const isDenied = error.name.startsWith('AccessDenied');
    return new TerminalError(
      { ...facts, ...(isDenied ? { expected: `permission for ${action}` } : {}), remedy },
      { cause: error },
    );
  }
  const status = failed.$metadata?.httpStatusCode ?? 0;
  if (isNetwork(failed)) return new RetryableError({ ...facts, remedy: noWay }, { cause: error });
  const isRetryable =
    [...everywhere.retryable, ...table.retryable].includes(error.name) ||
    failed.$retryable !== undefined ||
    status >= 500 ||
    status === 429;
  if (isRetryable) return new RetryableError({ ...facts, remedy: 'It is tried again.' }, { cause: error });
  return new TerminalError(
    { ...facts, remedy: 'The service refuses the call as it is: look at the message.' },
    { cause: error },
  );
}
