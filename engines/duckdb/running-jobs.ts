import type { Abortable, CallOptions } from '../../ports/abortable.ts';

interface Running<T> {
  readonly result: Promise<T>;
  readonly beats: Set<(note?: string) => void>;
  readonly abort: AbortController;
  callers: number;
}

/** Jobs under way in this process by id: a second submission waits for the first; a job is stopped when every caller has given up. */
export class RunningJobs {
  readonly #running = new Map<string, Running<unknown>>();

  async run<T>(id: string, options: CallOptions, start: (options: CallOptions) => Promise<T>): Promise<T> {
    if (options.signal?.aborted === true) throw options.signal.reason;
    const job = (this.#running.get(id) as Running<T> | undefined) ?? this.#start(id, start);
    job.callers += 1;
    if (options.beat !== undefined) job.beats.add(options.beat);
    return joined(job, options.signal);
  }

  #start<T>(id: string, start: (options: CallOptions) => Promise<T>): Running<T> {
    const beats = new Set<(note?: string) => void>();
    const abort = new AbortController();
    const beat = (note?: string) => beats.forEach((one) => one(note));
    const result = start({ signal: abort.signal, beat }).finally(() => this.#running.delete(id));
    const job: Running<T> = { result, beats, abort, callers: 0 };
    this.#running.set(id, job);
    return job;
  }

  /** Stops everything and waits until it has stopped. */
  async close(reason: Error): Promise<void> {
    const jobs = [...this.#running.values()];
    for (const job of jobs) job.abort.abort(reason);
    await Promise.allSettled(jobs.map((job) => job.result));
  }
}

/** The last caller to give up waits for the job to have stopped, so that nothing writes after it was told so. */
async function joined<T>(job: Running<T>, signal: Abortable | undefined): Promise<T> {
  const leaving = Promise.withResolvers<never>();
  const leave = () => {
    job.callers -= 1;
    if (job.callers === 0) job.abort.abort(signal?.reason);
    else leaving.reject(signal?.reason);
  };
  signal?.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([job.result, leaving.promise]);
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}
