import type { CallOptions } from './abortable.ts';

/** A job that runs elsewhere, and how to find it again: small, kept in the run's history, no secret in it. */
export interface ExternalJob {
  /** Name of the job service it runs on. */
  readonly service: string;
  /** The service's own name of it, unique within the service. */
  readonly id: string;
  /** For people: `Glue job ingot-spark, run jr_…`. */
  readonly label: string;
  /** Where people see it, if the service has a page for it. */
  readonly link?: string;
}

/** What a look at a job found. `note` is for people, such as `RUNNING for 3 min`. That it ended says nothing of how: who collects finds that out. */
export type JobState =
  | { readonly state: 'running'; readonly note: string }
  | { readonly state: 'ended'; readonly note: string };

/**
 * Runs jobs that outlive the process that started them. Looking and stopping are short calls by anybody, so that nobody has to stay while a
 * job runs. Both throw RetryableError for a service that is busy or out of reach; a job the service does not know has ended.
 */
export interface JobService {
  /** Written into `ExternalJob.service`; wire format. */
  readonly name: string;
  look(job: ExternalJob, options?: CallOptions): Promise<JobState>;
  /** Asks the job to end; one that has ended is left alone. */
  stop(job: ExternalJob, options?: CallOptions): Promise<void>;
}
