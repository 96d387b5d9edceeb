import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBMaterializedResult,
  DuckDBPreparedStatement,
  DuckDBResult,
  Json,
} from '@duckdb/node-api';
import type { CallOptions } from '../../ports/abortable.ts';
import type { Database } from './database.ts';
import { statementSlots } from './slots.ts';
import { type Statement, statementError } from './statement-errors.ts';

const beatEveryMs = 1000;
/** An interrupt sent between two statements is lost, so it is repeated until the statement has ended. */
const interruptEveryMs = 5;

export interface DescribedColumn {
  readonly name: string;
  readonly type: string;
}

/** One job's connection: runs its statements one after the other, stops them on abort, beats while they run. */
export class Session implements Disposable {
  readonly database: Database;
  readonly #connection: DuckDBConnection;
  readonly #place: string;
  readonly #options: CallOptions;
  #active: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(database: Database, connection: DuckDBConnection, place: string, options: CallOptions) {
    this.database = database;
    this.#connection = connection;
    this.#place = place;
    this.#options = options;
  }

  static async open(database: Database, place: string, options: CallOptions = {}): Promise<Session> {
    return new Session(database, await database.connect(), place, options);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#connection.closeSync();
  }

  /** Resolves when no statement of this session is running: only then it may be disposed. */
  async idle(): Promise<void> {
    await this.#active;
  }

  /** Runs one statement; prepared, because only then DuckDB refuses a second one hidden behind a semicolon. */
  async run(
    statement: Statement,
    bind?: (prepared: DuckDBPreparedStatement) => void,
  ): Promise<DuckDBMaterializedResult> {
    return this.#guard(statement, async () => {
      const prepared = await this.#connection.prepare(statement.sql);
      try {
        bind?.(prepared);
        return await prepared.run();
      } finally {
        prepared.destroySync();
      }
    });
  }

  async rows(statement: Statement): Promise<readonly Record<string, Json>[]> {
    return (await this.run(statement)).getRowObjectsJson();
  }

  /** Rows of a select whose values are all text. */
  async texts(statement: Statement): Promise<readonly Readonly<Record<string, string>>[]> {
    return (await this.rows(statement)) as readonly Record<string, string>[];
  }

  async stream(statement: Statement): Promise<DuckDBResult> {
    return this.#guard(statement, () => this.#connection.stream(statement.sql));
  }

  async fetch(result: DuckDBResult): Promise<DuckDBDataChunk | null> {
    return this.#guard({ label: 'rows', sql: '' }, () => result.fetchChunk());
  }

  /** For those who may go on after an error of a statement: not when the caller has given up. */
  throwIfAborted(error: unknown): void {
    if (this.#options.signal?.aborted === true) throw error;
  }

  /** Names and types a select yields, without running it. */
  async describe(statement: Statement): Promise<readonly DescribedColumn[]> {
    const rows = await this.texts({ ...statement, sql: `DESCRIBE ${statement.sql}` });
    return rows.map((row) => ({ name: row['column_name']!, type: row['column_type']! }));
  }

  /** Holds a statement slot while `work` runs on the connection, beats, and interrupts it on abort. */
  async #guard<T>(statement: Statement, work: () => Promise<T>): Promise<T> {
    const { signal, beat } = this.#options;
    const release = await statementSlots.take(signal);
    const beating = setInterval(() => beat?.(statement.label), beatEveryMs);
    let interrupting: NodeJS.Timeout | undefined;
    const interrupt = () => {
      this.#connection.interrupt();
      interrupting = setInterval(() => this.#connection.interrupt(), interruptEveryMs);
    };
    signal?.addEventListener('abort', interrupt, { once: true });
    this.database.running += 1;
    try {
      if (signal?.aborted === true) throw signal.reason;
      // DuckDB's binding does not survive a call on a closed connection.
      if (this.#closed) throw new Error(`${this.#place}: the session is closed`);
      beat?.(statement.label);
      await this.database.freshen();
      const running = work();
      this.#active = running.then(
        () => undefined,
        () => undefined,
      );
      return await running;
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw this.#translate(error, statement);
    } finally {
      this.database.running -= 1;
      signal?.removeEventListener('abort', interrupt);
      clearInterval(interrupting);
      clearInterval(beating);
      release();
    }
  }

  #translate(error: unknown, statement: Statement): Error {
    if (
      error instanceof Error &&
      /"exception_type":"(FATAL|INTERNAL)"|database has been invalidated/.test(error.message)
    )
      this.database.replace();
    return statementError(error, statement, this.#place, this.database.running > 1);
  }
}
