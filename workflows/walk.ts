import { CancellationScope, allHandlersFinished, condition, workflowInfo } from '@temporalio/workflow';
import { changeEvent } from '../dag/operator-event.ts';
import { failuresOf } from '../dag/outcome.ts';
import { waitingForPast } from '../dag/past.ts';
import type { PlanTask, TaskState } from '../dag/plan.ts';
import { OpenRun, startRun } from '../dag/reducer.ts';
import type { InstanceKey, OperatorChange, RunCommand, RunEvent, RunProgress } from '../dag/reducer.ts';
import { resumeRun } from '../dag/resume.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { CarriedRun, ContinueAfter, EndedRun } from '../ports/run-steps.ts';
import { Alarms } from './alarms.ts';
import type { Alerts } from './alerts.ts';
import { AttemptScope } from './attempt-scope.ts';
import { performAttempt, type AttemptEnding, type StartAttempt } from './attempt.ts';
import type { KnownRun } from './begin-run.ts';
import { packUp } from './carry.ts';
import { Drain } from './drain.ts';
import { cancelledFailure, firstFailure } from './failures.ts';
import { heldEvent } from './operator-events.ts';
import { JobWaits } from './job-waits.ts';
import { Outbox } from './outbox.ts';
import { PastWatch } from './past-watch.ts';
import { cancelGraceMs } from './policies.ts';
import { PoolLeases } from './pool-leases.ts';

type Happening = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, 'at'> : never) : never;
export type Finish = Extract<RunCommand, { type: 'finish_run' }>;

/** The run goes on in another execution. */
export interface Continuation extends Omit<CarriedRun, 'planHash'> {
  readonly type: 'continue_as_new';
}

export interface WalkListener {
  /** The run is under way, or records have gone out to the ledger: time to show how it stands. */
  shown(): void;
  /** Whether the run is held from now on. */
  held(held: boolean): void;
}

export interface WalkSetting {
  readonly begun: KnownRun;
  /** What an execution before this one came to. */
  readonly carried: (Omit<CarriedRun, 'progress'> & { readonly progress: RunProgress }) | null;
  readonly continueAfter: Partial<ContinueAfter> | undefined;
  readonly alerts: Alerts;
  readonly listener: WalkListener;
}

/** Instance keys hold no `#`. */
const patienceAlarm = '#drain';

/** Performs the reducer's commands and tells it what happened, until it says that the run is over. Owns no decision of its own. */
export class Walk {
  readonly #setting: WalkSetting;
  readonly #run: OpenRun;
  readonly #tasks: ReadonlyMap<string, PlanTask>;
  readonly #outbox: Outbox;
  readonly #alerts: Alerts;
  readonly #drain: Drain;
  /** Where nothing is cancelled. */
  readonly #shield = CancellationScope.current();
  readonly #over = Promise.withResolvers<void>();
  readonly #alarms = new Alarms();
  readonly #jobs = new JobWaits();
  /** Around the walk itself, and so every attempt it starts: what is cancelled here reaches the bodies. */
  readonly #attempts = new CancellationScope();
  /** Of each attempt under way, for an operator to stop. */
  readonly #scopes = new Map<InstanceKey, AttemptScope>();
  /** Left by attempts that ended, for the next ones: making a scope costs as much as the rest of a step. */
  readonly #spareScopes: AttemptScope[] = [];
  /** Instances whose task the last worker asked did not know. */
  readonly #unknown = new Set<InstanceKey>();
  readonly #pools: PoolLeases;
  readonly #past: PastWatch;
  #finish: Finish | null = null;
  /** Events told to the reducer in this execution. */
  #steps = 0;
  /** Changes and holds told to the ledger so far. */
  #told: number;

  constructor(setting: WalkSetting) {
    const { begun, carried, continueAfter, alerts, listener } = setting;
    const { plan, facts, resumed } = begun;
    this.#setting = setting;
    this.#alerts = alerts;
    this.#told = carried?.told ?? 0;
    const fresh = (): RunProgress =>
      resumed === undefined ? startRun(plan, facts) : resumeRun(plan, facts, resumed.earlier);
    this.#run = new OpenRun(plan, carried?.progress ?? fresh());
    this.#tasks = new Map(plan.tasks.map((task) => [task.id, task]));
    const outlets = new Map(plan.tasks.map(({ id, outlets: names = [] }) => [id, names]));
    this.#outbox = new Outbox({ dagId: plan.dagId, facts, outlets }, () => listener.shown());
    this.#drain = new Drain(continueAfter);
    const onDefect = (error: unknown): void => this.#over.reject(error);
    this.#pools = new PoolLeases(
      facts.run.id,
      carried?.leases ?? [],
      (answers) => void this.#tell({ type: 'pools_answered', answers }),
      onDefect,
    );
    this.#past = new PastWatch(
      facts.run.id,
      () => waitingForPast(this.progress),
      (seen) => void this.#tell({ type: 'past_seen', ...seen }),
      onDefect,
    );
    for (const { key, waitingFor } of Object.values(this.progress.instances))
      if (waitingFor?.reason === 'no_worker_knows_task') this.#unknown.add(key);
  }

  get progress(): RunProgress {
    return this.#run.progress;
  }

  /** Jobs elsewhere, by the task instance that waits for them. */
  get jobs(): ReadonlyMap<InstanceKey, ExternalJob> {
    return this.#jobs.waiting;
  }

  /** How many instances are in each state. */
  get states(): ReadonlyMap<TaskState, number> {
    return this.#run.states;
  }

  async end(): Promise<(Finish & Partial<EndedRun>) | Continuation> {
    await this.#attempts.run(() => {
      this.#tell(this.#beginning);
      this.#setting.listener.shown();
      return this.#over.promise;
    });
    const continuation = this.#finish === null ? await this.#continue() : null;
    // Cancelled while it packed up: it ends here after all.
    if (this.#finish === null) return continuation!;
    this.#alarms.cancelAll();
    // What is not waited for any more is being stopped: a run leaves no job behind.
    await this.#jobs.settled();
    this.#past.close();
    await this.#pools.close();
    const { outcome, failures } = this.#finish;
    const endedAt = new Date().toISOString();
    const failure = outcome === 'failed' ? firstFailure(this.progress, failures) : null;
    const told = this.#alerts.end(outcome, failure);
    const { dependsOnPast } = this.#setting.begun.plan;
    const end = { outcome, endedAt, failure, ...(dependsOnPast ? { dependsOnPast } : {}) };
    const ended = await this.#outbox.close(end);
    await told;
    if ((ended?.outcome ?? outcome) === 'success') await this.#alerts.succeeded();
    return { ...this.#finish, ...ended };
  }

  get #beginning(): Happening {
    const { carried, begun } = this.#setting;
    if (carried !== null) return { type: 'run_continued' };
    return begun.resumed === undefined
      ? { type: 'run_started' }
      : { type: 'run_resumed', change: begun.resumed.change };
  }

  /** Until nothing happens while it packs up: what is carried on must be the last word. */
  async #continue(): Promise<Continuation> {
    this.#alarms.cancel(patienceAlarm);
    const revision = (this.#setting.carried?.revision ?? 0) + 1;
    for (;;) {
      await this.#outbox.flush();
      await this.#pools.settled();
      await this.#past.settled();
      await this.#alerts.settled();
      const steps = this.#steps;
      const progress = await packUp(this.#setting.begun.facts.run.id, revision, this.progress);
      await condition(allHandlersFinished);
      const isQuiet = steps === this.#steps && this.#alerts.isSettled;
      if (!isQuiet && this.#finish === null) continue;
      const carried = { told: this.#told, leases: this.#pools.leases, alerts: this.#alerts.carried };
      return { type: 'continue_as_new', revision, progress, ...carried };
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

  /** What an operator asked for, which the caller has found to fit the run. Answers the instances whose state changed. */
  change(change: OperatorChange): readonly InstanceKey[] {
    const at = new Date().toISOString();
    this.#outbox.tell(changeEvent(this.#setting.begun.facts.run.id, (this.#told += 1), at, change));
    return this.#tell(change);
  }

  #tell(happening: Happening): readonly InstanceKey[] {
    if (this.#finish !== null) return [];
    try {
      const wasHeld = this.#run.held;
      const { commands, changed } = this.#run.tell({ ...happening, at: Date.now() });
      this.#steps += 1;
      this.#outbox.add(changed);
      this.#alerts.changed(this.progress, changed);
      if (wasHeld !== this.#run.held) this.#hold(this.#run.held);
      for (const command of commands) this.#perform(command);
      if (this.#drain.isDue()) this.#startDrain();
      return changed.map(({ key }) => key);
    } catch (error) {
      // A defect of the reducer: the workflow task fails and is tried again with the next release, nothing is lost.
      this.#over.reject(error);
      return [];
    }
  }

  #hold(held: boolean): void {
    const { id } = this.#setting.begun.facts.run;
    if (held) this.#outbox.tell(heldEvent(id, (this.#told += 1), new Date().toISOString(), this.progress));
    this.#outbox.hold(held);
    if (held) this.#alerts.failed(firstFailure(this.progress, failuresOf(this.progress.instances)));
    else this.#alerts.resumed();
    this.#setting.listener.held(held);
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
        return this.#alarms.set(
          command.key,
          command.untilMs - Date.now(),
          command.key,
          () => void this.#tell({ type: 'timer_fired', key: command.key }),
        );
      case 'cancel_timer':
        return this.#alarms.cancel(command.key);
      case 'cancel_attempt':
        return this.#scopes.get(command.key)?.cancel();
      case 'ask_pool':
        return this.#pools.ask(command.key, command.pool);
      case 'release_pool':
        return this.#pools.release(command.key);
      case 'look_at_past':
        return this.#past.look();
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
      mayPublish: () => (isTeardown || !this.progress.cancelRequested) && this.#isCurrent(command),
      jobs: this.#jobs,
    };
    const scope = this.#scopeFor(isTeardown);
    this.#scopes.set(command.key, scope);
    scope
      .run(() => performAttempt(setting, command))
      .then(
        (ending) => {
          if (this.#scopes.get(command.key) === scope) this.#scopes.delete(command.key);
          if (!isTeardown && !scope.isCancelled) this.#spareScopes.push(scope);
          this.#ended(command, ending);
        },
        (error: unknown) => this.#over.reject(error),
      );
  }

  /** What is cancelled reaches no teardown, nor keeps one from beginning. */
  #scopeFor(isTeardown: boolean): AttemptScope {
    const spare = isTeardown ? undefined : this.#spareScopes.pop();
    return spare ?? new AttemptScope(isTeardown ? this.#shield : this.#attempts);
  }

  #isTeardown(taskId: string): boolean {
    return this.#tasks.get(taskId)!.role === 'teardown';
  }

  #isCurrent({ key, attempt }: StartAttempt): boolean {
    const instance = this.progress.instances[key];
    return instance?.state === 'running' && instance.attempt === attempt;
  }

  #ended({ key, attempt }: StartAttempt, ending: AttemptEnding): void {
    if (ending.type === 'unknown') this.#unknown.add(key);
    else this.#unknown.delete(key);
    if (ending.where !== null) this.#outbox.ran(key, attempt, ending.where);
    switch (ending.type) {
      case 'succeeded':
        return void this.#tell({ type: 'attempt_succeeded', key, attempt, output: ending.output });
      case 'failed':
        return void this.#tell({ type: 'attempt_failed', key, attempt, failure: ending.failure });
      case 'conflict':
        return void this.#tell({ type: 'snapshot_conflicted', key, attempt });
      case 'unknown':
        return void this.#tell({ type: 'task_unknown', key, attempt });
    }
  }
}
