import type { ExternalJob } from './jobs.ts';

/** The argument of the signal `ingot.jobEnded`: somebody heard that a job a run waits for has ended. Telling it twice, early or wrongly does no harm. */
export type EndedJob = Pick<ExternalJob, 'service' | 'id'>;

export interface LookAtJob {
  readonly job: ExternalJob;
  /** Whose attempt waits for it, for people. */
  readonly place: string;
  /** When the attempt has had its time, milliseconds since the epoch. */
  readonly untilMs: number;
}

/** The interpreter's own activities around jobs that run elsewhere, by their type. Each may be repeated. */
export type JobSteps = {
  /** Returns once the job has ended. Fails, to be tried again by Temporal after a growing pause that holds no slot, while it runs. */
  readonly 'ingot.lookAtJob': (look: LookAtJob) => Promise<void>;
  readonly 'ingot.stopJob': (job: ExternalJob) => Promise<void>;
};
