import { CancellationScope, log, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import type { RunFacts, TaskInstance } from '../dag/reducer.ts';
import type { AttemptRecord, LedgerEvent } from '../ports/ledger.ts';
import type { EndedRun, EndRunRequest, RunSteps, Whereabouts } from '../ports/run-steps.ts';
import { wakeFeeds } from './asset-feed.ts';
import { localRetryThresholdMs, recordTimeoutMs, stepRetries, stepTimeoutMs } from './policies.ts';

/** A write costs as much as two tasks, which many open runs feel, and who wants to know sooner asks the run itself. */
const windowMs = 10_000;
const fullAt = 100;
/** One activity's argument stays well below what Temporal accepts. */
const batchBytes = 512 * 1024;

const { 'ingot.record': record } = proxyActivities<Pick<RunSteps, 'ingot.record'>>({
  startToCloseTimeout: recordTimeoutMs,
  retry: stepRetries,
  summary: 'task states to the ledger',
});
const { 'ingot.endRun': endRun } = proxyLocalActivities<Pick<RunSteps, 'ingot.endRun'>>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function attemptRecord(instance: TaskInstance, where: Whereabouts | undefined): AttemptRecord {
  const { taskId, mapIndex, attempt, state, scheduledAt, endedAt, failure, output } = instance;
  return {
    taskId,
    mapIndex: mapIndex ?? -1,
    attempt,
    state,
    scheduledAt: instant(scheduledAt),
    startedAt: where?.startedAt ?? null,
    endedAt: where?.endedAt ?? instant(endedAt),
    worker: where?.worker ?? null,
    // A running attempt still carries the failure of the one before.
    failure: state === 'failed' || state === 'up_for_retry' ? failure : null,
    output,
  };
}

function recordKey({ taskId, mapIndex, attempt }: AttemptRecord): string {
  return `${taskId}[${mapIndex}]#${attempt}`;
}

function failedEvent(runId: string, instance: TaskInstance): LedgerEvent {
  const { key, attempt, failure, endedAt } = instance;
  return {
    key: `run/${runId}/task/${key}/failed/${attempt}`,
    kind: 'task_failed',
    at: instant(endedAt ?? Date.now())!,
    payload: { runId, task: key, attempt, type: failure?.type ?? null, message: failure?.message ?? null },
  };
}

type End = Pick<EndRunRequest, 'outcome' | 'endedAt' | 'failure' | 'dependsOnPast'>;

function endedEvent(runId: string, { outcome, endedAt, failure }: End): LedgerEvent {
  const payload = {
    runId,
    task: failure?.task ?? null,
    type: failure?.type ?? null,
    message: failure?.message ?? null,
  };
  return { key: `run/${runId}/ended`, kind: `run_${outcome}`, at: endedAt, payload };
}

/** What the outbox has to know of the run it records. */
export interface RecordedRun {
  readonly dagId: string;
  readonly facts: RunFacts;
  /** Named assets by the task whose success is an event of them. */
  readonly outlets: ReadonlyMap<string, readonly string[]>;
}

interface Batch {
  readonly attempts: AttemptRecord[];
  readonly events: LedgerEvent[];
  readonly held?: boolean;
}

/** What the ledger does not know yet. At most one write is under way, so that a later state never arrives before an earlier one. */
export class Outbox {
  readonly #runId: string;
  readonly #run: RecordedRun;
  readonly #onWrite: () => void;
  /** Where it was made: what it writes must not end with the attempts it tells of. */
  readonly #scope = CancellationScope.current();
  readonly #where = new Map<string, { readonly attempt: number; readonly where: Whereabouts }>();
  #records = new Map<string, AttemptRecord>();
  #events: LedgerEvent[] = [];
  #window: CancellationScope | null = null;
  #writing: Promise<void> | null = null;
  #onlyAtEnd = false;
  #held: { readonly held: boolean } | null = null;

  /** `onWrite` is called whenever records go out, every ten seconds while tasks change state. */
  constructor(run: RecordedRun, onWrite: () => void) {
    this.#run = run;
    this.#runId = run.facts.run.id;
    this.#onWrite = onWrite;
  }

  ran(key: string, attempt: number, where: Whereabouts): void {
    this.#where.set(key, { attempt, where });
  }

  add(instances: readonly TaskInstance[]): void {
    for (const instance of instances) {
      const { key, attempt, state } = instance;
      // Thousands may be ready at once: the ledger hears of each when it begins.
      if (state === 'scheduled') continue;
      const known = this.#where.get(key);
      const each = attemptRecord(instance, known?.attempt === attempt ? known.where : undefined);
      this.#records.set(recordKey(each), each);
      if (state === 'success') this.#events.push(...this.#outletEvents(instance));
      if (state === 'failed' && instance.failure?.type !== 'Cancelled')
        this.#events.push(failedEvent(this.#runId, instance));
    }
    this.#next();
  }

  tell(event: LedgerEvent): void {
    this.#events.push(event);
    this.#next();
  }

  /** Somebody is waited for, or waits: told at once. */
  hold(held: boolean): void {
    this.#held = { held };
    if (!this.#onlyAtEnd && this.#writing === null) this.#write();
  }

  /** Writes what is left together with the run's end. */
  async close(end: End): Promise<EndedRun | undefined> {
    // A window that is still open closes with the run: cancelling its timer would only lengthen the history.
    this.#onlyAtEnd = true;
    this.#onWrite();
    await this.#writing;
    let last = this.#take();
    for (; this.#isFull; last = this.#take()) await this.#record(last);
    const events = [...last.events, endedEvent(this.#runId, end)];
    const ended = await endRun({ runId: this.#runId, attempts: last.attempts, events, ...end });
    if (ended?.wake !== undefined) await wakeFeeds(ended.wake);
    return ended;
  }

  /** Writes what there is, so that another execution may go on. What the ledger refuses stays in this history. */
  async flush(): Promise<void> {
    this.#onlyAtEnd = true;
    await this.#writing;
    while (this.#isFull)
      await this.#record(this.#take()).catch((error: unknown) =>
        log.warn('the ledger refused task states', { error }),
      );
  }

  async #record(batch: Batch): Promise<void> {
    const followed = await record({ runId: this.#runId, ...batch });
    if (followed?.wake !== undefined) await wakeFeeds(followed.wake);
  }

  get #isFull(): boolean {
    return this.#records.size + this.#events.length > 0 || this.#held !== null;
  }

  #outletEvents({ key, taskId, mapIndex, endedAt }: TaskInstance): readonly LedgerEvent[] {
    const { facts, outlets } = this.#run;
    // A mapped task is one event, when the whole of it has succeeded.
    if (mapIndex !== null) return [];
    const { id: runId } = facts.run;
    return (outlets.get(taskId) ?? []).map((asset) => ({
      key: `run/${runId}/task/${key}/outlet/${asset}`,
      kind: 'asset',
      at: instant(endedAt ?? Date.now())!,
      payload: {
        asset,
        runId,
        dagId: this.#run.dagId,
        logicalDate: facts.interval.logicalDate,
        payload: { task: key },
      },
    }));
  }

  #next(): void {
    if (this.#onlyAtEnd || this.#writing !== null || !this.#isFull) return;
    if (this.#records.size >= fullAt) this.#write();
    else this.#openWindow();
  }

  #openWindow(): void {
    if (this.#window !== null) return;
    const scope = new CancellationScope({ cancellable: true, parent: this.#scope });
    this.#window = scope;
    scope
      .run(() => sleep(windowMs, { summary: 'task states to the ledger' }))
      .then(
        () => {
          this.#window = null;
          if (!this.#onlyAtEnd) this.#write();
        },
        () => {},
      );
  }

  #write(): void {
    this.#window?.cancel();
    this.#window = null;
    const batch = this.#take();
    this.#onWrite();
    this.#writing = this.#scope
      .run(() => record({ runId: this.#runId, ...batch }))
      .then(
        (followed) => {
          if (followed?.wake !== undefined) void this.#scope.run(() => wakeFeeds(followed.wake));
          this.#written();
        },
        () => this.#refuse(batch),
      );
  }

  #written(): void {
    this.#writing = null;
    this.#next();
  }

  /** The ledger said no: not a reason to stop the work. The run's end says it all once more. */
  #refuse({ attempts, events }: Batch): void {
    this.#writing = null;
    this.#onlyAtEnd = true;
    this.#records = new Map([...attempts.map((each) => [recordKey(each), each] as const), ...this.#records]);
    this.#events = [...events, ...this.#events];
  }

  #take(): Batch {
    const attempts: AttemptRecord[] = [];
    const events: LedgerEvent[] = [];
    let bytes = 0;
    for (const [key, each] of this.#records) {
      bytes += 500 + JSON.stringify([each.output, each.failure]).length;
      if (attempts.length > 0 && bytes > batchBytes) break;
      attempts.push(each);
      this.#records.delete(key);
    }
    bytes = 0;
    for (const each of this.#events) {
      bytes += JSON.stringify(each).length;
      if (events.length > 0 && bytes > batchBytes) break;
      events.push(each);
    }
    this.#events = this.#events.slice(events.length);
    const held = this.#held;
    this.#held = null;
    return { attempts, events, ...held };
  }
}
