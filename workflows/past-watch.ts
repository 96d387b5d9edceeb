import {
  CancellationScope,
  defineSignal,
  getExternalWorkflowHandle,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { PastSeen } from '../dag/past.ts';
import type { PastSteps } from '../ports/past.ts';
import { LookTimer } from './look-timer.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';

/** Says to a run that waits for its past that the run before has ended. */
const pastEnded = defineSignal('pastEnded');

const { 'ingot.lookAtPast': lookAtPast } = proxyLocalActivities<PastSteps>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

/** The end of the run before comes by signal; its tasks are seen by looking. */
const looks = { firstMs: 2000, longestMs: 300_000 };

/** Looks at the previous interval's run for as long as tasks wait for it. */
export class PastWatch {
  readonly #runId: string;
  /** Ids of the tasks that wait. */
  readonly #waiting: () => readonly string[];
  readonly #tell: (seen: PastSeen) => void;
  readonly #onDefect: (error: unknown) => void;
  readonly #scope = CancellationScope.current();
  readonly #timer = new LookTimer('looks at the run before', looks, () => this.#next());
  #again = false;
  #looking = false;
  #look: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    runId: string,
    waiting: () => readonly string[],
    tell: (seen: PastSeen) => void,
    onDefect: (error: unknown) => void,
  ) {
    this.#runId = runId;
    this.#waiting = waiting;
    this.#tell = tell;
    this.#onDefect = onDefect;
    setHandler(pastEnded, () => this.#hurry());
  }

  look(): void {
    this.#hurry();
  }

  /** Resolves when no look is under way. */
  settled(): Promise<void> {
    return this.#look;
  }

  close(): void {
    this.#closed = true;
    this.#timer.clear();
  }

  #hurry(): void {
    this.#timer.hurry();
    this.#timer.clear();
    this.#next();
  }

  #next(): void {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    this.#look = this.#lookUntilDone().catch(this.#onDefect);
  }

  async #lookUntilDone(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      const taskIds = this.#waiting();
      if (taskIds.length === 0) break;
      this.#tell(await this.#scope.run(() => lookAtPast({ runId: this.#runId, taskIds })));
    }
    this.#looking = false;
    if (!this.#closed && this.#waiting().length > 0) this.#timer.set();
  }
}

/** Tells the runs that wait for this one's end. They may have ended meanwhile, or look anyway. */
export async function wakeFollowers(workflowIds: readonly string[]): Promise<void> {
  await Promise.all(
    workflowIds.map((workflowId) =>
      getExternalWorkflowHandle(workflowId)
        .signal(pastEnded)
        .catch(() => undefined),
    ),
  );
}
