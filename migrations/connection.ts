import pg from 'pg';
import { RetryableError, TerminalError } from '../ports/errors.ts';

/** SQLSTATE classes that no repetition mends: authorisation, unknown database, a statement the server refuses. */
const terminalClasses = new Set(['0A', '22', '23', '28', '3D', '3F', '42']);

export function translated(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || error instanceof TerminalError || error instanceof RetryableError)
    return error;
  const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
  const facts = {
    place,
    expected: 'a Postgres server that lets the ledger be migrated',
    found: error.message === '' ? String((error as NodeJS.ErrnoException).code) : error.message,
    remedy: 'Start the server, or correct the connection or the rights of its user.',
  };
  return terminalClasses.has(code.slice(0, 2))
    ? new TerminalError(facts, { cause: error })
    : new RetryableError(facts, { cause: error });
}

/** A text is the database's URL. */
export type Connection = string | pg.ClientConfig;

export function configOf(connection: Connection): pg.ClientConfig {
  return typeof connection === 'string' ? { connectionString: connection } : connection;
}

function client(connection: Connection): pg.Client {
  try {
    return new pg.Client({ ...configOf(connection), connectionTimeoutMillis: 15_000 });
  } catch {
    // Without the cause: it quotes the connection string, password and all.
    throw new TerminalError({
      expected: 'a connection string like postgres://user@host:5432/database',
      found: 'one that cannot be parsed',
      remedy: 'Correct the connection string of the ledger.',
    });
  }
}

/** Runs `work` on a connection of its own; every error says at which server, and none shows the password. */
export async function withConnection<Result>(
  given: Connection,
  work: (connection: pg.Client) => Promise<Result>,
): Promise<Result> {
  const connection = client(given);
  // A server that ends the session also fails the statement under way, which tells the caller.
  connection.on('error', () => undefined);
  try {
    await connection.connect();
    return await work(connection);
  } catch (error) {
    throw translated(error, `${connection.host}:${connection.port}/${connection.database ?? ''}`);
  } finally {
    await connection.end().catch(() => undefined);
  }
}
