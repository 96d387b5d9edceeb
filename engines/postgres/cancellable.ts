import pg from 'pg';
import type { CallOptions } from '../../ports/abortable.ts';
import type { Database, Query } from './database.ts';
import { translated } from './errors.ts';

/** One transaction that can be stopped in the middle of a statement. */
export interface CancellableTransaction {
  readonly client: pg.PoolClient;
  readonly query: Query;
  /** Rows touched by a statement. */
  count(sql: string, values?: readonly unknown[]): Promise<number>;
  /** Rejects when the transaction is to stop; never resolves. */
  readonly stopped: Promise<never>;
}

const cancelAgainMs = 250;
const beatMs = 1_000;

/** A cancel request that arrives between two statements is lost, so it is repeated until the statement has ended. */
async function cancelUntil(db: Database, processId: number, ended: () => boolean): Promise<void> {
  const canceller = new pg.Client({ ...db.client, connectionTimeoutMillis: 5_000 });
  canceller.on('error', () => undefined);
  try {
    await canceller.connect();
    while (!ended()) {
      await canceller.query('select pg_cancel_backend($1)', [processId]);
      await new Promise((resolve) => setTimeout(resolve, cancelAgainMs));
    }
  } catch {
    // The server cannot be reached; then the statement's own connection fails as well.
  } finally {
    await canceller.end().catch(() => undefined);
  }
}

interface Stop {
  readonly requested: () => boolean;
  readonly promise: Promise<never>;
  readonly dispose: () => void;
}

function watch(signal: CallOptions['signal'], onAbort: () => void): Stop {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const abort = (): void => {
    reject(signal?.reason as Error);
    onAbort();
  };
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  return {
    requested: () => signal?.aborted === true,
    promise,
    dispose: () => signal?.removeEventListener('abort', abort),
  };
}

async function run<Result>(
  transaction: CancellableTransaction,
  begin: string,
  body: (transaction: CancellableTransaction) => Promise<Result>,
): Promise<Result> {
  await transaction.query(begin);
  const result = await body(transaction);
  await transaction.query('commit');
  return result;
}

/**
 * Runs `body` in a transaction; when the signal is aborted the statement under way is cancelled on the server and the
 * call rejects with the signal's reason. After any failure the connection is closed, which ends its transaction.
 */
export async function cancellable<Result>(
  db: Database,
  begin: string,
  options: CallOptions,
  body: (transaction: CancellableTransaction) => Promise<Result>,
): Promise<Result> {
  if (options.signal?.aborted === true) throw options.signal.reason;
  const client = await db.pool.connect().catch((error: unknown) => {
    throw translated(error, db.place);
  });
  let ended = false;
  const processId = (client as unknown as { processID: number }).processID;
  const stop = watch(options.signal, () => void cancelUntil(db, processId, () => ended));
  const beating = setInterval(() => options.beat?.(), beatMs);
  const send = async (sql: string, values: readonly unknown[]): Promise<pg.QueryResult> => {
    if (stop.requested()) throw options.signal?.reason;
    return client.query(sql, values as unknown[]);
  };
  const transaction: CancellableTransaction = {
    client,
    query: async <Row>(sql: string, values: readonly unknown[] = []) =>
      (await send(sql, values)).rows as Row[],
    count: async (sql, values = []) => (await send(sql, values)).rowCount ?? 0,
    stopped: stop.promise,
  };
  let failed = true;
  try {
    const result = await run(transaction, begin, body);
    failed = false;
    return result;
  } catch (error) {
    throw stop.requested() ? options.signal?.reason : translated(error, db.place);
  } finally {
    ended = true;
    clearInterval(beating);
    stop.dispose();
    client.release(failed);
  }
}
