import { type ErrorFacts, RetryableError, TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { SqlJobResult } from '../../ports/sql-engine.ts';

/** The error the runner left beside the job document. */
interface RunnerError {
  readonly type: 'terminal' | 'retryable';
  readonly facts: ErrorFacts;
}

/** Objects of one job: its document, who computes it, what came of it. */
export class JobFolder {
  readonly #objects: ObjectStore;
  readonly #prefix: string;

  constructor(objects: ObjectStore, prefix: string) {
    this.#objects = objects;
    this.#prefix = prefix;
  }

  get document(): string {
    return `${this.#prefix}/job.json`;
  }

  /** False when the object is there already; it is left as it is. */
  async create(name: string, value: object): Promise<boolean> {
    const body = new TextEncoder().encode(JSON.stringify(value));
    return (await this.#objects.put(`${this.#prefix}/${name}`, body, { ifAbsent: true })) !== null;
  }

  async read(name: string): Promise<unknown> {
    const key = `${this.#prefix}/${name}`;
    if ((await this.#objects.head(key)) === null) return null;
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#objects.get(key)) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  }

  /** When the object was stored, null when there is none. */
  async storedAt(name: string): Promise<string | null> {
    return (await this.#objects.head(`${this.#prefix}/${name}`))?.modifiedAt ?? null;
  }

  /** The result; null when the runner has left neither result nor error. Throws the runner's error, placed in the job. */
  async outcome(jobId: string): Promise<SqlJobResult | null> {
    const result = (await this.read('result.json')) as SqlJobResult | null;
    if (result !== null) return result;
    const error = (await this.read('error.json')) as RunnerError | null;
    if (error === null) return null;
    const facts = { ...error.facts, place: `${jobId}, ${error.facts.place ?? 'runner'}` };
    throw error.type === 'terminal' ? new TerminalError(facts) : new RetryableError(facts);
  }
}
