import type { Column } from '../../dag/relation.ts';
import type { CallOptions } from '../../ports/abortable.ts';
import { RetryableError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type {
  CsvJob,
  CsvJobResult,
  InputRelation,
  ResultRow,
  SqlEngine,
  SqlJob,
  SqlJobResult,
  WrittenPartition,
} from '../../ports/sql-engine.ts';
import { exportCsv } from './csv-export.ts';
import { readHeader } from './csv-header.ts';
import { importCsv } from './csv-import.ts';
import { Database } from './database.ts';
import { bindInline, bindInputs, inputBytes } from './input-relations.ts';
import { measure } from './measures.ts';
import { OutputFiles } from './output-files.ts';
import { clearPrefix, writeOutput } from './output-relations.ts';
import { parquetSchema } from './parquet-schema.ts';
import { RunningJobs } from './running-jobs.ts';
import { Session } from './session.ts';
import type { S3Access } from './s3-access.ts';
import { identifier, selectText } from './sql-text.ts';

export interface DuckDbSqlEngineOptions {
  readonly objects: ObjectStore;
  /** For all jobs of this engine together. */
  readonly memoryLimitBytes: number;
  /** Holds what does not fit in memory; cleaned when the engine opens and closes. */
  readonly spillFolder: string;
  readonly threads?: number;
  /** Size around which an output file is closed and the next begun. */
  readonly maxFileBytes?: number;
  /** Needed where `objects` is a store on S3. */
  readonly s3?: S3Access;
}

const defaultMaxFileBytes = 512 << 20;

/** Computes in this process, with DuckDB. Close it to give back memory and spill space. */
export async function openDuckDbSqlEngine(
  options: DuckDbSqlEngineOptions,
): Promise<SqlEngine & { close(): Promise<void> }> {
  return new DuckDbSqlEngine(options, await Database.open(options));
}

class DuckDbSqlEngine implements SqlEngine {
  readonly name = 'duckdb';
  readonly #objects: ObjectStore;
  readonly #database: Database;
  readonly #maxFileBytes: number;
  readonly #jobs = new RunningJobs();

  constructor(options: DuckDbSqlEngineOptions, database: Database) {
    this.#objects = options.objects;
    this.#database = database;
    this.#maxFileBytes = options.maxFileBytes ?? defaultMaxFileBytes;
  }

  run(job: SqlJob, options: CallOptions = {}): Promise<SqlJobResult> {
    return this.#jobs.run(`sql ${job.id}`, options, (joint) =>
      this.#clean(
        job.outputs.map((output) => output.prefix),
        () => this.#run(job, joint),
      ),
    );
  }

  async #run(job: SqlJob, options: CallOptions): Promise<SqlJobResult> {
    const startedAt = performance.now();
    const bytesScanned = await inputBytes(job.inputs, this.#objects);
    using session = await Session.open(this.#database, job.id, options);
    await bindInputs(session, job.inputs, this.#objects);
    await bindInline(session, job.inline);
    for (const { name, sql } of job.steps) {
      const authored = selectText(sql);
      await session.run({
        label: `step ${name}`,
        sql: `CREATE TEMP TABLE ${identifier(name)} AS\n${authored}`,
        authored,
      });
    }
    await using files = new OutputFiles(this.#objects, this.#database.spillPath, options);
    const outputs: Record<string, readonly WrittenPartition[]> = {};
    for (const output of job.outputs) {
      await clearPrefix(this.#objects, output.prefix);
      outputs[output.name] = await writeOutput(session, output, files, this.#maxFileBytes, job.id);
    }
    const measures: Record<string, readonly ResultRow[]> = {};
    for (const one of job.measures) measures[one.name] = await measure(session, one);
    await files.settled();
    return {
      outputs,
      measures,
      engine: this.name,
      bytesScanned,
      durationMs: Math.round(performance.now() - startedAt),
    };
  }

  importCsv(job: CsvJob, options: CallOptions = {}): Promise<CsvJobResult> {
    return this.#jobs.run(`csv ${job.id}`, options, (joint) =>
      this.#clean([job.prefix], () => importCsv(this.#database, this.#objects, job, joint)),
    );
  }

  /** A job that failed leaves no files; what a killed one left is taken away by the next attempt or by vacuum. */
  async #clean<T>(prefixes: readonly string[], work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      for (const prefix of prefixes) {
        await clearPrefix(this.#objects, prefix).catch(() => undefined);
      }
      throw error;
    }
  }

  async csvHeader(key: string, options: CallOptions = {}): Promise<readonly string[]> {
    return (await readHeader(this.#objects, key, options)).names;
  }

  parquetSchema(key: string): Promise<readonly Column[]> {
    return parquetSchema(this.#database, this.#objects, key);
  }

  exportCsv(
    select: string,
    inputs: readonly InputRelation[],
    options: CallOptions = {},
  ): AsyncIterable<Uint8Array> {
    return exportCsv(this.#database, this.#objects, select, inputs, options);
  }

  async close(): Promise<void> {
    await this.#jobs.close(
      new RetryableError({
        expected: 'the engine to stay open',
        found: 'it was closed',
        remedy: 'The attempt is tried again by the next worker.',
      }),
    );
    await this.#database.close();
  }
}
