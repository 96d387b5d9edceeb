import { randomUUID } from 'node:crypto';
import type { ExternalJob } from '../../ports/jobs.ts';
import type { JobOrigin, SqlCluster } from '../../ports/sql-cluster.ts';
import type { SqlEngine, SqlJob, SqlJobResult } from '../../ports/sql-engine.ts';

export interface BackgroundCluster extends SqlCluster {
  /** Jobs started, each once under its id, whoever submitted it how often. */
  readonly started: ReadonlyMap<string, { readonly job: SqlJob; readonly origin: JobOrigin }>;
  readonly stopped: readonly string[];
  /** The job run of an id, as its service names it. */
  external(jobId: string): ExternalJob;
}

/** A cluster made of an engine that goes on by itself: a job ends when `gate` lets it. */
export function backgroundCluster(
  sql: Pick<SqlEngine, 'run'>,
  gate: () => Promise<void> = async () => {},
): BackgroundCluster {
  const started = new Map<string, { job: SqlJob; origin: JobOrigin; external: ExternalJob }>();
  const runs = new Map<string, { ended: boolean; result: Promise<SqlJobResult>; stop: AbortController }>();
  const stopped: string[] = [];
  return {
    name: 'background',
    started,
    stopped,
    external: (jobId) => started.get(jobId)!.external,
    async submit(job, origin) {
      const known = started.get(job.id);
      if (known !== undefined) return known.external;
      const external = { service: 'background', id: randomUUID(), label: `background job ${job.id}` };
      started.set(job.id, { job, origin, external });
      const stop = new AbortController();
      const stoppedEarly = new Promise<never>((_, reject) => {
        stop.signal.addEventListener('abort', () => reject(new Error('stopped from outside')));
      });
      const result = Promise.race([stoppedEarly, gate().then(() => sql.run(job, { signal: stop.signal }))]);
      const run = { ended: false, result, stop };
      runs.set(external.id, run);
      const end = (): void => void (run.ended = true);
      result.then(end, end);
      return external;
    },
    async look({ id }) {
      const isEnded = runs.get(id)?.ended ?? true;
      return { state: isEnded ? 'ended' : 'running', note: isEnded ? 'ended' : 'RUNNING' };
    },
    async stop({ id }) {
      stopped.push(id);
      runs.get(id)?.stop.abort();
    },
    async collect(_, { id }) {
      return { ...(await runs.get(id)!.result), engine: 'background' };
    },
  };
}
