import { activityInfo } from '@temporalio/activity';
import type { JobSteps, LookAtJob } from '../ports/job-steps.ts';
import type { ExternalJob, JobService } from '../ports/jobs.ts';
import { businessFailure, infrastructureFailure } from './failures.ts';
import { serviceOf } from './suspension.ts';

/** Between two looks at a job. A service that tells of its jobs' ends makes looking the safety net. */
const pauses = { firstMs: 2000, growth: 1.5, longestMs: 60_000 };

function pauseMs(tries: number, untilMs: number): number {
  const grown = pauses.firstMs * pauses.growth ** Math.min(tries - 1, 20);
  const leftMs = Math.max(untilMs - Date.now(), 1000);
  return Math.round(Math.min(grown, pauses.longestMs, leftMs));
}

function tooLong({ job, place, untilMs }: LookAtJob, note: string): Error {
  const error = new Error(
    `${place}: expected ${job.label} to have ended by ${new Date(untilMs).toISOString()}; found it ${note}. It is stopped. Give the task a longer timeout, or less to do.`,
  );
  return Object.assign(error, { name: 'Timeout' });
}

async function lookAtJob(services: ReadonlyMap<string, JobService>, look: LookAtJob): Promise<void> {
  const { job, untilMs } = look;
  const againMs = pauseMs(activityInfo().attempt, untilMs);
  const state = await serviceOf(services, job)
    .look(job)
    .catch((error: unknown) => {
      if (Date.now() < untilMs) throw infrastructureFailure('JobServiceUnavailable', error, againMs);
      throw businessFailure(tooLong(look, `not to be asked: ${String(error)}`));
    });
  if (state.state === 'ended') return;
  if (Date.now() >= untilMs) throw businessFailure(tooLong(look, state.note));
  throw infrastructureFailure('JobRunning', new Error(`${job.label}: ${state.note}`), againMs);
}

async function stopJob(services: ReadonlyMap<string, JobService>, job: ExternalJob): Promise<void> {
  try {
    await serviceOf(services, job).stop(job);
  } catch (error) {
    throw infrastructureFailure('JobServiceUnavailable', error);
  }
}

export function createJobSteps(services: ReadonlyMap<string, JobService>): JobSteps {
  return {
    'ingot.lookAtJob': (look) => lookAtJob(services, look),
    'ingot.stopJob': (job) => stopJob(services, job),
  };
}
