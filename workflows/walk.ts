import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';
import type { PlanTask } from '../dag/plan.ts';
import { failuresOf } from '../dag/outcome.ts';
import { waitingForPast } from '../dag/past.ts';
import { advance, startRun } from '../dag/reducer.ts';
import type { InstanceKey, OperatorChange, RunCommand, RunEvent, RunProgress } from '../dag/reducer.ts';
import { resumeRun } from '../dag/resume.ts';
import { changeEvent } from '../dag/operator-event.ts';
import type { EndedRun } from '../ports/run-steps.ts';
import type { Alerts } from './alerts.ts';
import { performAttempt, type AttemptEnding, type StartAttempt } from './attempt.ts';
import type { KnownRun } from './begin-run.ts';
import { cancelledFailure, firstFailure } from './failures.ts';
import { Outbox } from './outbox.ts';
import { heldEvent } from './operator-events.ts';
import { PastWatch } from './past-watch.ts';
import { PoolLeases } from './pool-leases.ts';
import { cancelGraceMs } from './policies.ts';

type Happening = RunEvent extends infer Event ? (Event extends RunEvent ? Omit<Event, 'at'> : never) : never;
export type Finish = Extract<RunCommand, { type: 'finish_run' }>;

export interface WalkListener {
  /** Records have gone out to the ledger. */
  recorded(progress: RunProgress): void;
  /** Whether the run is held from now on. */
  held(held: boolean): void;
}

/** Performs the reducer's commands and tells it what happened, until it says that the run is over. Owns no decision of its own. */
export class Walk {
  readonly #begun: KnownRun;
  readonly #tasks: ReadonlyMap<string, PlanTask>;
  readonly #outbox: Outbox;
  readonly #alerts: Alerts;
  readonly #finish = Promise.withResolvers<Finish>();
  /** Where nothing is cancelled. */
  readonly #shield = CancellationScope.current();
  /** Around the walk itself, and so every attempt it starts: what is cancelled here reaches the bodies. */
  readonly #attempts = new CancellationScope();
  /** Of each instance the attempt begun last, for an operator to stop. */
  readonly #scopes = new Map<InstanceKey, CancellationScope>();
  readonly #timers = new Map<string, CancellationScope>();
  /** Instances whose task the last worker asked did not know. */
  readonly #unknown = new Set<InstanceKey>();
  readonly #pools: PoolLeases;
  readonly #past: PastWatch;
  readonly #listener: WalkListener;
  /** Changes and holds told to the ledger so far. */
  #told = 0;
  #progress: RunProgress;

  constructor(begun: KnownRun, alerts: Alerts, listener: WalkListener) {
    this.#begun = begun;
    this.#alerts = alerts;
    this.#tasks = new Map(begun.plan.tasks.map((task) => [task.id, task]));
    this.#listener = listener;
    const { plan, facts, resumed } = begun;
    const outlets = new Map(plan.tasks.map(({ id, outlets: names = [] }) => [id, names]));
    this.#outbox = new Outbox({ dagId: plan.dagId, facts, outlets }, () => listener.recorded(this.#progress));
    const onDefect = (error: unknown): void => this.#finish.reject(error);
    this.#pools = new PoolLeases(
      facts.run.id,
      (answers) => void this.#tell({ type: 'pools_answered', answers }),
      onDefect,
    );
    this.#past = new PastWatch(
      facts.run.id,
      () => waitingForPast(this.#progress),
      (seen) => void this.#tell({ type: 'past_seen', ...seen }),
      onDefect,
    );
    this.#progress = resumed === undefined ? startRun(plan, facts) : resumeRun(plan, facts, resumed.earlier);
  }

  get progress(): RunProgress {
    return this.#progress;
  }

  async end(): Promise<Finish & Partial<EndedRun>> {
    const finish = await this.#attempts.run(() => {
      const { resumed } = this.#begun;
      this.#tell(
        resumed === undefined ? { type: 'run_started' } : { type: 'run_resumed', change: resumed.change },
      );
      return this.#finish.promise;
    });
    for (const timer of this.#timers.values()) timer.cancel();
    this.#past.close();
    await this.#pools.close();
    const endedAt = new Date().toISOString();
    const failure = finish.outcome === 'failed' ? firstFailure(this.#progress, finish.failures) : null;
    const told = this.#alerts.end(finish.outcome, failure);
    const { dependsOnPast } = this.#begun.plan;
    const ended = await this.#outbox.close({
      outcome: finish.outcome,
      endedAt,
      failure,
      ...(dependsOnPast ? { dependsOnPast } : {}),
    });
    await told;
    return { ...finish, ...ended };
  }

  cancel(): void {
    this.#tell({ type: 'cancel_requested' });
    this.#attempts.cancel();
    // Bounded: a body that does not listen, on a worker that does not answer, must not hold the run open.
    this.#after('#cancel', cancelGraceMs, 'ends without what does not stop', () => {
      for (const { key, attempt, state } of Object.values(this.#progress.instances))
        if (state === 'running')
          this.#tell({ type: 'attempt_failed', key, attempt, failure: cancelledFailure });
    });
  }

  /** What an operator asked for, which the caller has found to fit the run. Answers the instances whose state changed. */
  change(change: OperatorChange): readonly InstanceKey[] {
    const at = new Date().toISOString();
    this.#outbox.tell(changeEvent(this.#begun.facts.run.id, (this.#told += 1), at, change));
    return this.#tell(change);
  }

  #tell(happening: Happening): readonly InstanceKey[] {
    if (this.#progress.outcome !== null) return [];
    try {
      const before = this.#progress;
      const step = advance(this.#begun.plan, before, { ...happening, at: Date.now() });
      this.#progress = step.progress;
      this.#outbox.add(step.changed);
      this.#alerts.changed(step.progress, step.changed);
      if (before.held !== step.progress.held) this.#hold(step.progress.held === true);
      for (const command of step.commands) this.#perform(command);
      return step.changed.map(({ key }) => key);
    } catch (error) {
      // A defect of the reducer: the workflow task fails and is tried again with the next release, nothing is lost.
      this.#finish.reject(error);
      return [];
    }
  }

  #hold(held: boolean): void {
    const { id } = this.#begun.facts.run;
    if (held) this.#outbox.tell(heldEvent(id, (this.#told += 1), new Date().toISOString(), this.#progress));
    this.#outbox.hold(held);
    if (held) this.#alerts.failed(firstFailure(this.#progress, failuresOf(this.#progress.instances)));
    else this.#alerts.resumed();
    this.#listener.held(held);
  }

  #perform(command: RunCommand): void {
    switch (command.type) {
      case 'start_attempt':
        return this.#start(command);
      case 'start_timer':
        return this.#after(
          command.key,
          command.untilMs - Date.now(),
          command.key,
          () => void this.#tell({ type: 'timer_fired', key: command.key }),
        );
      case 'cancel_timer':
        return this.#timers.get(command.key)?.cancel();
      case 'cancel_attempt':
        return this.#scopes.get(command.key)?.cancel();
      case 'ask_pool':
        return this.#pools.ask(command.key, command.pool);
      case 'release_pool':
        return this.#pools.release(command.key);
      case 'look_at_past':
        return this.#past.look();
      case 'finish_run':
        return this.#finish.resolve(command);
    }
  }

  #start(command: StartAttempt): void {
    const { plan, facts } = this.#begun;
    const setting = {
      dagId: plan.dagId,
      workflowId: workflowInfo().workflowId,
      facts,
      task: this.#tasks.get(command.taskId)!,
      askAnyWorker: this.#unknown.has(command.key),
      mayPublish: () => !this.#progress.cancelRequested && this.#isCurrent(command),
    };
    const scope = new CancellationScope({ cancellable: true, parent: this.#attempts });
    this.#scopes.set(command.key, scope);
    scope
      .run(() => performAttempt(setting, command))
      .then(
        (ending) => this.#ended(command, ending),
        (error: unknown) => this.#finish.reject(error),
      );
  }

  #isCurrent({ key, attempt }: StartAttempt): boolean {
    const instance = this.#progress.instances[key];
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

  #after(key: string, ms: number, summary: string, then: () => void): void {
    this.#timers.get(key)?.cancel();
    const scope = new CancellationScope({ cancellable: true, parent: this.#shield });
    this.#timers.set(key, scope);
    scope
      .run(() => sleep(Math.max(ms, 1), { summary }))
      .then(
        () => {
          if (this.#timers.get(key) === scope) this.#timers.delete(key);
          then();
        },
        () => {},
      );
  }
}
