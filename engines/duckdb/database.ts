import { availableParallelism } from 'node:os';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';
import { RetryableError } from '../../ports/errors.ts';
import { openSpillFolder, type SpillFolder } from './spill-folder.ts';

export interface DatabaseOptions {
  readonly memoryLimitBytes: number;
  readonly spillFolder: string;
  readonly threads?: number;
  /** Rows keep the order of files and rows; costs memory. Default false. */
  readonly preserveOrder?: boolean;
  /** Default true; one left open must be locked by its user. */
  readonly locked?: boolean;
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
  #instance: Promise<DuckDBInstance>;
  #closed = false;
  running = 0;

  private constructor(options: DatabaseOptions, spill: SpillFolder) {
    this.options = options;
    this.threads = options.threads ?? availableParallelism();
    this.#spill = spill;
    this.#instance = this.#create();
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const database = new Database(options, await openSpillFolder(options.spillFolder));
    await database.#instance;
    return database;
  }

  get spillPath(): string {
    return this.#spill.path;
  }

  async #create(): Promise<DuckDBInstance> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(this.threads),
      memory_limit: `${Math.floor(this.options.memoryLimitBytes / 1024)}KiB`,
      temp_directory: this.#spill.path,
      preserve_insertion_order: String(this.options.preserveOrder ?? false),
      errors_as_json: 'true',
      autoinstall_known_extensions: 'false',
    });
    const connection = await instance.connect();
    await connection.run(`SET GLOBAL TimeZone = 'UTC'`);
    if (this.options.locked ?? true) await connection.run('SET GLOBAL lock_configuration = true');
    connection.closeSync();
    return instance;
  }

  async connect(): Promise<DuckDBConnection> {
    if (this.#closed)
      throw new RetryableError({
        expected: 'an open database',
        found: 'one that was closed',
        remedy: 'The attempt is tried again by the next worker.',
      });
    return (await this.#instance).connect();
  }

  /** After an internal error DuckDB refuses everything more on the database: later jobs get a new one. */
  replace(): void {
    this.#instance = this.#create();
    this.#instance.catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const instance = await this.#instance.catch(() => null);
    instance?.closeSync();
    await this.#spill[Symbol.asyncDispose]();
  }
}
