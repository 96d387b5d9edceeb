import { availableParallelism } from 'node:os';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';
import { RetryableError } from '../../ports/errors.ts';
import { loadS3, type S3Access, S3Secret } from './s3-access.ts';
import { openSpillFolder, type SpillFolder } from './spill-folder.ts';

export interface DatabaseOptions {
  readonly memoryLimitBytes: number;
  readonly spillFolder: string;
  readonly threads?: number;
  /** Rows keep the order of files and rows; costs memory. Default false. */
  readonly preserveOrder?: boolean;
  /** Default true; one left open must be locked by its user. */
  readonly locked?: boolean;
  /** Needed where the store's locations begin with `s3://`. */
  readonly s3?: S3Access;
}

interface Opened {
  readonly instance: DuckDBInstance;
  readonly secret: S3Secret | null;
}

/**
 * One in-memory database for all jobs of an engine. Memory limit and spill space belong to a database, so only a shared
 * one bounds the process however many jobs run at once; what belongs to a job (temporary views and tables) lives in its
 * own connection and goes with it. Settings are the same for all and locked.
 */
export class Database {
  readonly options: DatabaseOptions;
  readonly threads: number;
  readonly #spill: SpillFolder;
  #opened: Promise<Opened>;
  #closed = false;
  running = 0;

  private constructor(options: DatabaseOptions, spill: SpillFolder) {
    this.options = options;
    this.threads = options.threads ?? availableParallelism();
    this.#spill = spill;
    this.#opened = this.#create();
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const database = new Database(options, await openSpillFolder(options.spillFolder));
    try {
      await database.#opened;
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  get spillPath(): string {
    return this.#spill.path;
  }

  async #create(): Promise<Opened> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(this.threads),
      memory_limit: `${Math.floor(this.options.memoryLimitBytes / 1024)}KiB`,
      temp_directory: this.#spill.path,
      preserve_insertion_order: String(this.options.preserveOrder ?? false),
      errors_as_json: 'true',
      autoinstall_known_extensions: 'false',
    });
    const { s3, locked = true } = this.options;
    const connection = await instance.connect();
    try {
      await connection.run(`SET GLOBAL TimeZone = 'UTC'`);
      if (s3 !== undefined) await loadS3(connection, s3);
      if (locked) await connection.run('SET GLOBAL lock_configuration = true');
      const secret = s3 === undefined ? null : new S3Secret(instance, s3);
      await secret?.freshen();
      connection.closeSync();
      return { instance, secret };
    } catch (error) {
      connection.closeSync();
      instance.closeSync();
      throw error;
    }
  }

  async connect(): Promise<DuckDBConnection> {
    if (this.#closed)
      throw new RetryableError({
        expected: 'an open database',
        found: 'one that was closed',
        remedy: 'The attempt is tried again by the next worker.',
      });
    return (await this.#opened).instance.connect();
  }

  /** Statements that begin now find credentials that are good for a while. */
  async freshen(): Promise<void> {
    if (this.options.s3 !== undefined) await (await this.#opened).secret?.freshen();
  }

  /** After an internal error DuckDB refuses everything more on the database: later jobs get a new one. */
  replace(): void {
    this.#opened = this.#create();
    this.#opened.catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = await this.#opened.catch(() => null);
    opened?.instance.closeSync();
    await this.#spill[Symbol.asyncDispose]();
  }
}
