import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Column } from '../../../dag/relation.ts';
import { RunningJobs } from '../../../engines/duckdb/running-jobs.ts';
import { openFilesystemObjectStore } from '../../../engines/filesystem/object-store.ts';
import { jobDocument } from '../../../engines/glue/job-document.ts';
import { JobFolder } from '../../../engines/glue/job-folder.ts';
import type { Abortable, CallOptions } from '../../../ports/abortable.ts';
import type { ObjectStore } from '../../../ports/object-store.ts';
import type { CsvJobResult, SqlEngine, SqlJob, SqlJobResult } from '../../../ports/sql-engine.ts';
import type { SqlEngineFixture } from '../../ports/sql-engine/fixture.ts';
import type { WarmSpark } from './warm-spark.ts';

export interface LocalSparkOptions {
  readonly spark: WarmSpark;
  /** Spark's form of a select; as it is by default. */
  readonly translate?: (sql: string) => string;
  readonly maxFileBytes?: number;
}

const beatEveryMs = 200;
/** Spark forgets a cancellation that meets no running stage, so it is repeated until the job has ended. */
const cancelEveryMs = 50;

/** The runner of every SQL model over an empty folder, in a Spark session that is open already; the folder is gone when disposed. */
export async function openLocalSparkEngine(options: LocalSparkOptions): Promise<SqlEngineFixture> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-spark-'));
  const objects = await openFilesystemObjectStore(root);
  return {
    engine: new LocalSparkEngine(options, objects),
    objects,
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true });
    },
  };
}

class LocalSparkEngine implements SqlEngine {
  readonly name = 'spark';
  readonly #options: LocalSparkOptions;
  readonly #objects: ObjectStore;
  readonly #jobs = new RunningJobs();
  #runs = 0;

  constructor(options: LocalSparkOptions, objects: ObjectStore) {
    this.#options = options;
    this.#objects = objects;
  }

  run(job: SqlJob, options: CallOptions = {}): Promise<SqlJobResult> {
    return this.#jobs.run(job.id, options, (joint) => this.#run(job, joint));
  }

  async #run(job: SqlJob, { signal, beat }: CallOptions): Promise<SqlJobResult> {
    const folder = new JobFolder(this.#objects, `jobs/${job.id}/${(this.#runs += 1)}`);
    const { translate = (sql) => sql, maxFileBytes } = this.#options;
    const sized = maxFileBytes === undefined ? {} : { maxFileBytes };
    await folder.create('job.json', jobDocument(job, { objects: this.#objects, translate, ...sized }));
    const location = this.#objects.location(folder.document);
    const beating = setInterval(() => beat?.(), beatEveryMs);
    try {
      await this.#runUntilAborted(['--job', location, '--ingot-id', job.id], signal);
    } finally {
      clearInterval(beating);
    }
    if (signal?.aborted === true) throw signal.reason;
    const result = await folder.outcome(job.id);
    if (result === null) throw new Error(`${job.id}: the runner left neither result nor error`);
    return result;
  }

  async #runUntilAborted(args: readonly string[], signal: Abortable | undefined): Promise<void> {
    const { spark } = this.#options;
    let cancelling: NodeJS.Timeout | undefined;
    try {
      await spark.run(args, (id) => {
        const cancel = () => (cancelling ??= setInterval(() => spark.cancel(id), cancelEveryMs));
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted === true) cancel();
      });
    } finally {
      clearInterval(cancelling);
    }
  }

  async parquetSchema(key: string): Promise<readonly Column[]> {
    const columns = await this.#options.spark.schema(this.#objects.location(key));
    return columns.map(([name, type]) => ({ name, type: type as Column['type'], nullable: true }));
  }

  importCsv(): Promise<CsvJobResult> {
    return Promise.reject(new Error('The runner reads Parquet only.'));
  }

  csvHeader(): Promise<readonly string[]> {
    return Promise.reject(new Error('The runner reads Parquet only.'));
  }

  // eslint-disable-next-line require-yield
  async *exportCsv(): AsyncIterable<Uint8Array> {
    throw new Error('The runner writes Parquet only.');
  }
}
