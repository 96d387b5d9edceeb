import {
  ActivityCancellationType,
  CancellationScope,
  defineSignal,
  log,
  scheduleActivity,
  setHandler,
} from '@temporalio/workflow';
import type { InstanceKey } from '../dag/reducer.ts';
import type { EndedJob, LookAtJob } from '../ports/job-steps.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import { jobStopRetries, lookRetries, stepTimeoutMs } from './policies.ts';

const jobEnded = defineSignal<[EndedJob]>('ingot.jobEnded');

const nameOf = ({ service, id }: EndedJob): string => `${service} ${id}`;

/**
 * Waits for jobs that run elsewhere. A wait is one activity that Temporal tries again after growing pauses: it holds no slot of a worker, and
 * three events of history whatever the job's length. Who hears of a job's end by other ways says so by signal.
 */
export class JobWaits {
  readonly #wake = new Map<string, () => void>();
  readonly #waits = new Set<Promise<void>>();
  readonly #waiting = new Map<InstanceKey, ExternalJob>();

  constructor() {
    setHandler(jobEnded, (job) => this.#wake.get(nameOf(job))?.());
  }

  /** Resolves when the job has ended; else it is stopped first: rejects with the activity's failure when its time is over, or the scope is cancelled. */
  untilEnded(key: InstanceKey, look: LookAtJob): Promise<void> {
    const wait = this.#untilEnded(look);
    const end = (): void => {
      this.#waits.delete(over);
      this.#waiting.delete(key);
    };
    const over = wait.then(end, end);
    this.#waits.add(over);
    this.#waiting.set(key, look.job);
    return wait;
  }

  /** Jobs by the task instance that waits for them. */
  get waiting(): ReadonlyMap<InstanceKey, ExternalJob> {
    return this.#waiting;
  }

  /** Resolves when no job is waited for, nor being stopped, any more. */
  async settled(): Promise<void> {
    while (this.#waits.size > 0) await Promise.all(this.#waits);
  }

  async #untilEnded(look: LookAtJob): Promise<void> {
    try {
      await this.#look(look);
    } catch (error) {
      await CancellationScope.nonCancellable(() => stop(look.job));
      throw error;
    }
  }

  async #look(look: LookAtJob): Promise<void> {
    const name = nameOf(look.job);
    const first = new CancellationScope();
    let told = false;
    this.#wake.set(name, () => {
      told = true;
      first.cancel();
    });
    try {
      await first.run(() => lookAt(look));
    } catch (error) {
      // Told of the end: look at once, and from then on in Temporal's own time.
      if (!told || CancellationScope.current().consideredCancelled) throw error;
      this.#wake.delete(name);
      await lookAt(look);
    } finally {
      this.#wake.delete(name);
    }
  }
}

function lookAt(look: LookAtJob): Promise<void> {
  return scheduleActivity('ingot.lookAtJob', [look], {
    summary: look.job.label,
    startToCloseTimeout: stepTimeoutMs,
    retry: lookRetries,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}

function stop(job: ExternalJob): Promise<void> {
  return scheduleActivity<void>('ingot.stopJob', [job], {
    summary: `stop ${job.label}`,
    startToCloseTimeout: stepTimeoutMs,
    retry: jobStopRetries,
  }).catch((error: unknown) => {
    log.warn('a job could not be stopped; its own timeout ends it', { job: job.label, error });
  });
}
