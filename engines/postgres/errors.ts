import pg from 'pg';
import { RetryableError, RunClosedError, SnapshotConflictError, TerminalError } from '../../ports/errors.ts';

interface Verdict {
  readonly retry: boolean;
  readonly remedy: string;
}

const again = (remedy: string): Verdict => ({ retry: true, remedy });
const never = (remedy: string): Verdict => ({ retry: false, remedy });

/** SQLSTATEs, five characters before two: the longer key decides. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const verdicts: Readonly<Record<string, Verdict>> = {
  '08': again('The server or the network went away; the same call may be repeated.'),
  '25006': again('The server is read-only for now, as during a failover; repeat once it is writable.'),
  '25P03': again('The session was ended because its process stood still in a transaction; repeat.'),
  '40': again('Another transaction got in the way; repeat.'),
  '53': again('Give the server room (disk, memory, connections) and repeat.'),
  '55P03': again('Somebody holds a lock for too long; look at pg_stat_activity, then repeat.'),
  '57': again('The server is stopping, starting or was told to cancel; repeat.'),
  '58': again('The server met a system error; see its log, then repeat.'),
  XX: again('The server met an internal error; see its log, then repeat.'),
  '21000': never('Make the rows unique by the primary key before they are loaded.'),
  '22': never('Correct the value, or the type declared for its column.'),
  '23': never('Correct the rows, or the constraint they break.'),
  '28': never(
    'Check user, password and the server’s access rules; of IAM sign-in: the role rds_iam, and the permission rds-db:connect.',
  ),
  '3D000': never('Create the database, or correct its name in the connection.'),
  '54000': never(
    'A key is too long for its index, which takes about 2,700 bytes: select rows where length(<key>) > 2000, and add a rule that quarantines them.',
  ),
  '42501': never('Grant the role the right it lacks.'),
  '42': never('Correct the statement, or run `ingot migrate` if a table of the ledger is missing.'),
};

const lostConnection =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Connection ended)/;
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/** What Node says of a server that does not show what is expected of it. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const untrusted =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|CERT_|ERR_TLS_CERT_|INVALID_CA|ERR_OSSL_PEM|ERR_SSL_)/;

function tlsRefusal(error: Error, place: string): TerminalError | null {
  const { code = '' } = error as NodeJS.ErrnoException;
  const facts = {
    place,
    expected: 'a Postgres server that proves who it is, over TLS',
    found: error.message,
  };
  if (untrusted.test(code))
    return new TerminalError(
      {
        ...facts,
        found: `${error.message} (${code})`,
        remedy:
          'Give connections.<name>.ca the authority that signed the server’s certificate (of RDS: its global bundle), and the URL the name in the certificate.',
      },
      { cause: error },
    );
  if (!error.message.startsWith('The server does not support SSL')) return null;
  return new TerminalError(
    { ...facts, remedy: 'Turn TLS on at the server, or leave it out here.' },
    { cause: error },
  );
}

export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** A deadlock or a serialization failure: nothing of the transaction happened, and repeating it at once usually helps. */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** The session behind a failed call is of no use any more. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P0|25P03)/.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code;
  return lostConnection.test(error.message) || (code !== undefined && networkCodes.has(code));
}

function found(error: pg.DatabaseError): string {
  const parts = [error.message, error.detail, error.where].filter(
    (part) => part !== undefined && part !== '',
  );
  return `${parts.join('; ')} (SQLSTATE ${error.code ?? 'unknown'})`;
}

/** The one place where what Postgres says becomes terminal or retryable. What is already the product's own passes through. */
export function translated(error: unknown, place: string): unknown {
  if (error instanceof TerminalError || error instanceof RetryableError) return error;
  if (error instanceof RunClosedError || error instanceof SnapshotConflictError) return error;
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    const verdict = verdicts[code] ?? verdicts[code.slice(0, 2)] ?? never('See the server’s log.');
    const facts = {
      place,
      expected: 'Postgres to accept the statement',
      found: found(error),
      remedy: verdict.remedy,
    };
    return verdict.retry
      ? new RetryableError(facts, { cause: error })
      : new TerminalError(facts, { cause: error });
  }
  const refused = error instanceof Error ? tlsRefusal(error, place) : null;
  if (refused !== null) return refused;
  if (isConnectionLost(error)) {
    return new RetryableError(
      {
        place,
        expected: 'a connection to Postgres',
        found: (error as Error).message || String((error as NodeJS.ErrnoException).code),
        remedy: 'Check that the server runs and can be reached; the same call may be repeated.',
      },
      { cause: error },
    );
  }
  return error;
}
