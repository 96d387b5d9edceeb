import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

interface Answer {
  readonly id?: number;
  readonly ready?: true;
  readonly status?: number;
  readonly columns?: readonly (readonly [string, string])[];
  readonly failure?: string;
}

const kept = 20_000;

/** A Python process with a Spark session in which the runner's jobs run one beside the other: a session costs seconds, a job in it does not. */
export class WarmSpark implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #ready = Promise.withResolvers<void>();
  #last = 0;
  #log = '';

  private constructor(python: string) {
    const driver = join(import.meta.dirname, '../../glue/driver.py');
    this.#process = spawn(python, [driver], { stdio: ['pipe', 'pipe', 'pipe'], env: process.env });
    this.#process.stderr!.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-kept);
    });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => this.#take(line));
    this.#process.on('error', (error) => this.#lose(error.message));
    this.#process.on('close', (code) => this.#lose(`status ${code}`));
  }

  static async open(python: string): Promise<WarmSpark> {
    const spark = new WarmSpark(python);
    await spark.#ready.promise;
    return spark;
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as Answer;
    if (answer.ready === true) this.#ready.resolve();
    if (answer.id === undefined) return;
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
  }

  #lose(how: string): void {
    const error = new Error(`The Spark driver has ended (${how}):\n${this.#log}`);
    this.#ready.reject(error);
    for (const one of this.#waiting.values()) one.reject(error);
    this.#waiting.clear();
  }

  #send(message: object): void {
    this.#process.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  async #ask(request: object, begun?: (id: number) => void): Promise<Answer> {
    const id = (this.#last += 1);
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    this.#send({ id, ...request });
    begun?.(id);
    const answer = await waiting.promise;
    if (answer.failure !== undefined) throw new Error(`${answer.failure}\n${this.#log}`);
    return answer;
  }

  /** Exit status of runner.py with these arguments. `begun` gets the number by which the run can be cancelled. */
  async run(args: readonly string[], begun?: (id: number) => void): Promise<number> {
    return (await this.#ask({ run: args }, begun)).status!;
  }

  cancel(run: number): void {
    this.#send({ cancel: run });
  }

  /** Names and types of a Parquet file's columns. */
  async schema(location: string): Promise<readonly (readonly [string, string])[]> {
    return (await this.#ask({ schema: location })).columns!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const closed = once(this.#process, 'close');
    this.#process.stdin!.end();
    await closed;
  }
}
