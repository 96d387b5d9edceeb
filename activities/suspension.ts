import type { ApplicationFailure } from '@temporalio/activity';
import type { ExternalJob, JobService } from '../ports/jobs.ts';
import { RetryableError } from '../ports/errors.ts';
import { infrastructureFailure } from './failures.ts';
import type { Ports } from './task-context.ts';

/** Thrown through a body that waits for a job, so that it leaves its worker. */
export class AttemptSuspended extends Error {
  override readonly name = 'AttemptSuspended';
  readonly job: ExternalJob;
  constructor(job: ExternalJob) {
    super(`Waits for ${job.label}; the attempt begins again when it has ended.`);
    this.job = job;
  }
}

/** Thrown when a service that jobs run on is busy, out of reach or full: infrastructure, which must not use up a task's retries. */
class ServiceBusyError extends RetryableError {
  override readonly name = 'ServiceBusyError';
}

/** What `call` gives; that the service cannot answer now is said as such. */
export async function askingService<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RetryableError) throw new ServiceBusyError(error.facts, { cause: error });
    throw error;
  }
}

export function busyFailure(error: unknown): ApplicationFailure | null {
  return error instanceof ServiceBusyError ? infrastructureFailure('JobServiceUnavailable', error) : null;
}

/** The services this worker can ask about jobs, by name. */
export function jobServices({ cluster, crawler }: Ports): ReadonlyMap<string, JobService> {
  const services = [cluster?.cluster, crawler].filter((service) => service !== undefined);
  return new Map(services.map((service) => [service.name, service]));
}

/** The service a job runs on. Another worker may know it, so that its absence is nobody's failure. */
export function serviceOf(services: ReadonlyMap<string, JobService>, job: ExternalJob): JobService {
  const service = services.get(job.service);
  if (service !== undefined) return service;
  throw new RetryableError({
    place: job.label,
    expected: `a worker that can ask the service ${job.service}`,
    found: services.size === 0 ? 'one without any' : `one that knows ${[...services.keys()].join(', ')}`,
    remedy: 'Give all workers of a task queue the same engine: INGOT_ENGINE.',
  });
}
