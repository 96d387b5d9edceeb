import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CallOptions } from '../../ports/abortable.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

const atOnce = { sync: 16, upload: 4 };
const beatEveryMs = 1000;

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** The folder of this machine into which COPY writes what belongs under a prefix of keys. */
export interface OutputFolder {
  readonly prefix: string;
  readonly path: string;
}

export function keyOf(path: string, under: OutputFolder): string {
  return under.prefix + path.slice(under.path.length + 1);
}

interface Written {
  readonly key: string;
  readonly path: string;
}

/**
 * What one job writes: COPY always writes to this machine's disk, and the files become lasting while the job computes on.
 * Where the store is a folder here they are written through, since a pointer to them must not outlive a power cut that they do
 * not. Where it is elsewhere they lie in the spill folder until the store has them: DuckDB's own uploads to S3 may wait for ever
 * for one that has failed (duckdb-httpfs#387).
 */
export class OutputFiles implements AsyncDisposable {
  readonly #objects: ObjectStore;
  readonly #options: CallOptions;
  /** Null: the store itself is a folder of this machine. */
  readonly #scratch: string | null;
  readonly #stop = new AbortController();
  readonly #waiting: Written[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #folders = new Set<string>();
  #failure: { readonly error: unknown } | null = null;

  constructor(objects: ObjectStore, spillPath: string, options: CallOptions = {}) {
    this.#objects = objects;
    this.#options = options;
    const isHere = objects.location('').startsWith('/');
    this.#scratch = isHere ? null : join(spillPath, `output-${randomUUID()}`);
    const { signal } = options;
    signal?.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true });
  }

  /** A folder for one prefix, made if it is not there. */
  async folder(prefix: string): Promise<OutputFolder> {
    const base = prefix.endsWith('/') ? prefix : `${prefix}/`;
    const path =
      this.#scratch === null
        ? this.#objects.location(base).replace(/\/$/, '')
        : join(this.#scratch, randomUUID());
    await mkdir(path, { recursive: true });
    return { prefix: base, path };
  }

  /** Begins to make files lasting that are complete. */
  keep(under: OutputFolder, paths: readonly string[]): void {
    for (const path of paths) this.#waiting.push({ path, key: keyOf(path, under) });
    const limit = this.#scratch === null ? atOnce.sync : atOnce.upload;
    while (this.#underWay.size < limit && this.#waiting.length > 0) this.#begin();
  }

  /** Resolves when everything kept so far will last; rejects when something could not be stored. */
  async settled(): Promise<void> {
    const beat = () => this.#options.beat?.(`${this.#waiting.length + this.#underWay.size} files to store`);
    const beating = setInterval(beat, beatEveryMs);
    try {
      while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    } finally {
      clearInterval(beating);
    }
    if (this.#failure !== null) throw this.#failure.error;
    for (const folder of this.#folders) await sync(folder);
    this.#folders.clear();
  }

  /** Stops what is under way, so that nothing is written after the job has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting.splice(0);
    this.#stop.abort(new Error('The job has ended.'));
    await Promise.all(this.#underWay);
    if (this.#scratch !== null) await rm(this.#scratch, { recursive: true, force: true });
  }

  #begin(): void {
    const working = this.#work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#waiting.splice(0);
      })
      .finally(() => this.#underWay.delete(working));
    this.#underWay.add(working);
  }

  async #work(): Promise<void> {
    for (let file = this.#waiting.shift(); file !== undefined; file = this.#waiting.shift()) {
      if (this.#scratch === null) {
        await sync(file.path);
        this.#folders.add(dirname(file.path));
      } else {
        await this.#objects.put(file.key, createReadStream(file.path, { highWaterMark: 1 << 20 }), {
          signal: this.#stop.signal,
        });
        await rm(file.path);
      }
    }
  }
}
