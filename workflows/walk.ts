import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { PlanTask, TaskState } from '../dag/plan.ts';
import { OpenRun, startRun } from '../dag/reducer.ts';
import type { InstanceKey, RunCommand, RunEvent, RunProgress } from '../dag/reducer.ts';
import type { CarriedRun, ContinueAfter, EndedRun } from '../ports/run-steps.ts';
import { Alarms } from './alarms.ts';
import { performAttempt, type AttemptEnding, type StartAttempt } from './attempt.ts';
import type { KnownRun } from './begin-run.ts';
import { packUp } from './carry.ts';
import { Drain } from './drain.ts';
import { cancelledFailure, firstFailure } from './failures.ts';
import { Outbox } from './outbox.ts';
import { cancelGraceMs } from './policies.ts';

type Happening = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, 'at'> : never) : never;
export type Finish = Extract<RunCommand, { type: 'finish_run' }>;
/** The run goes on in another execution. */
export interface Continuation {
  readonly type: 'continue_as_new';
  readonly revision: number;
  readonly progress: CarriedRun['progress'];
}

export interface WalkSetting {
  readonly begun: Pick<KnownRun, 'plan' | 'facts'>;
  /** What an execution before this one came to, and how many there were. */
  readonly carried: { readonly progress: RunProgress; readonly revision: number } | null;
  readonly continueAfter: Partial<ContinueAfter> | undefined;
  readonly onRecord: () => void;
}

/** Instance keys hold no `#`. */
const patienceAlarm = '#drain';

/** Performs the reducer's commands and tells it what happened, until it says that the run is over. Owns no decision of its own. */
export class Walk {
  readonly #setting: WalkSetting;
  readonly #run: OpenRun;
  readonly #tasks: ReadonlyMap<string, PlanTask>;
  readonly #outbox: Outbox;
  readonly #drain: Drain;
  /** Where nothing is cancelled. */
  readonly #shield = CancellationScope.current();
  readonly #over = Promise.withResolvers<void>();
  readonly #alarms = new Alarms();
  /** Around the walk itself, and so every attempt it starts: what is cancelled here reaches the bodies. */
  readonly #attempts = new CancellationScope();
  /** Instances whose task the last worker asked did not know. */
  readonly #unknown = new Set<InstanceKey>();
  #finish: Finish | null = null;
  #told = 0;

  constructor(setting: WalkSetting) {
    const { begun, carried, continueAfter, onRecord } = setting;
    this.#setting = setting;
    this.#run = new OpenRun(begun.plan, carried?.progress ?? startRun(begun.plan, begun.facts));
    this.#tasks = new Map(begun.plan.tasks.map((task) => [task.id, task]));
    this.#outbox = new Outbox(begun.facts.run.id, onRecord);
    this.#drain = new Drain(continueAfter);
    for (const { key, waitingFor } of Object.values(this.progress.instances))
      if (waitingFor?.reason === 'no_worker_knows_task') this.#unknown.add(key);
  }

  get progress(): RunProgress {
    return this.#run.progress;
  }

  /** How many instances are in each state. */
  get states(): ReadonlyMap<TaskState, number> {
    return this.#run.states;
  }

  async end(): Promise<(Finish & Partial<EndedRun>) | Continuation> {
    await this.#attempts.run(() => {
      this.#tell({ type: this.#setting.carried === null ? 'run_started' : 'run_continued' });
      return this.#over.promise;
    });
    const continuation = this.#finish === null ? await this.#continue() : null;
    // Cancelled while it packed up: it ends here after all.
    if (this.#finish === null) return continuation!;
    this.#alarms.cancelAll();
    const { outcome, failures } = this.#finish;
    const endedAt = new Date().toISOString();
    const failure = outcome === 'failed' ? firstFailure(this.progress, failures) : null;
    const ended = await this.#outbox.close({ outcome, endedAt, failure });
    return { ...this.#finish, ...ended };
  }

  /** Until nothing happens while it packs up: what is carried on must be the last word. */
  async #continue(): Promise<Continuation> {
    this.#alarms.cancel(patienceAlarm);
    const revision = (this.#setting.carried?.revision ?? 0) + 1;
    for (;;) {
      await this.#outbox.flush();
      const told = this.#told;
      const progress = await packUp(this.#setting.begun.facts.run.id, revision, this.progress);
      if (told === this.#told || this.#finish !== null)
        return { type: 'continue_as_new', revision, progress };
    }
  }

  cancel(): void {
    this.#tell({ type: 'cancel_requested' });
    this.#attempts.cancel();
    // Bounded: a body that does not listen, on a worker that does not answer, must not hold the run open.
    this.#alarms.set('#cancel', cancelGraceMs, 'ends without what does not stop', () => {
      for (const { key, taskId, attempt, state } of Object.values(this.progress.instances))
        if (state === 'running' && !this.#isTeardown(taskId))
          this.#tell({ type: 'attempt_failed', key, attempt, failure: cancelledFailure });
    });
  }

  #tell(happening: Happening): void {
    if (this.#finish !== null) return;
    try {
      const { commands, changed } = this.#run.tell({ ...happening, at: Date.now() });
      this.#told += 1;
      this.#outbox.add(changed);
      for (const command of commands) this.#perform(command);
      if (this.#drain.isDue()) this.#startDrain();
    } catch (error) {
      // A defect of the reducer: the workflow task fails and is tried again with the next release, nothing is lost.
      this.#over.reject(error);
    }
  }

  #startDrain(): void {
    const { patienceMs } = this.#drain;
    if (patienceMs !== null)
      this.#alarms.set(patienceAlarm, patienceMs, 'waits for what runs, to continue as new', () => {
        this.#drain.giveUp();
        this.#tell({ type: 'drain_given_up' });
      });
    this.#tell({ type: 'drain_requested' });
  }

  #perform(command: RunCommand): void {
    switch (command.type) {
      case 'start_attempt':
        return this.#start(command);
      case 'start_timer':
        return this.#alarms.set(command.key, command.untilMs - Date.now(), command.key, () =>
          this.#tell({ type: 'timer_fired', key: command.key }),
        );
      case 'cancel_timer':
        return this.#alarms.cancel(command.key);
      case 'finish_run':
        this.#finish = command;
        return this.#over.resolve();
      case 'continue_as_new':
        return this.#over.resolve();
    }
  }

  #start(command: StartAttempt): void {
    const { plan, facts } = this.#setting.begun;
    const isTeardown = this.#isTeardown(command.taskId);
    const setting = {
      dagId: plan.dagId,
      workflowId: workflowInfo().workflowId,
      facts,
      task: this.#tasks.get(command.taskId)!,
      askAnyWorker: this.#unknown.has(command.key),
      mayPublish: () => isTeardown || !this.progress.cancelRequested,
    };
    // What is cancelled reaches no teardown, nor keeps one from beginning.
    const attempt = isTeardown
      ? this.#shield.run(() => performAttempt(setting, command))
      : performAttempt(setting, command);
    attempt.then(
      (ending) => this.#ended(command, ending),
      (error: unknown) => this.#over.reject(error),
    );
  }

  #isTeardown(taskId: string): boolean {
    return this.#tasks.get(taskId)!.role === 'teardown';
  }

  #ended({ key, attempt }: StartAttempt, ending: AttemptEnding): void {
    if (ending.type === 'unknown') this.#unknown.add(key);
    else this.#unknown.delete(key);
    if (ending.where !== null) this.#outbox.ran(key, attempt, ending.where);
    switch (ending.type) {
      case 'succeeded':
        return this.#tell({ type: 'attempt_succeeded', key, attempt, output: ending.output });
      case 'failed':
        return this.#tell({ type: 'attempt_failed', key, attempt, failure: ending.failure });
      case 'conflict':
        return this.#tell({ type: 'snapshot_conflicted', key, attempt });
      case 'unknown':
        return this.#tell({ type: 'task_unknown', key, attempt });
    }
  }
}
