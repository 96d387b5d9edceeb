import { CancellationScope, patched, sleep, workflowInfo } from '@temporalio/workflow';
import {
  deadlinesOf,
  incidentOf,
  runFailedIncident,
  runSucceededIncident,
  type AlertPlan,
  type Incident,
} from '../dag/alerts.ts';
import type { RunProgress, TaskInstance } from '../dag/reducer.ts';
import { hasEnded } from '../dag/trigger-rules.ts';
import type { CarriedAlerts } from '../ports/run-steps.ts';
import type { RunRecord } from '../ports/ledger.ts';
import type { KnownRun } from './begin-run.ts';
import { raiseAlert } from './raise-alert.ts';

/** A map whose every instance is tried again must not flood people: what tasks tell is bounded, what the run tells is not. */
const maxTaskAlerts = 100;

/**
 * Notices what people want to be told of a run. Every alert is a workflow of its own, which outlives the run: telling takes as long
 * as it takes, and neither holds the run open nor ends with it.
 */
export class Alerts {
  readonly #begun: KnownRun;
  readonly #ofTasks: ReadonlyMap<string, AlertPlan>;
  readonly #scope = CancellationScope.current();
  readonly #armed = new Set<string>();
  readonly #timers = new CancellationScope();
  readonly #starting = new Set<Promise<void>>();
  readonly #queuedAt: number;
  readonly #passedAlready: Set<string>;
  #progress: RunProgress | null = null;
  #startedAt: number | null = null;
  #taskAlerts = 0;
  #failures = 0;
  #isFailureTold = false;
  #isOver = false;
  #success: Incident | null = null;

  /** Made where nothing is cancelled. `carried` and `progress` are what the execution before this one came to. */
  constructor(begun: KnownRun, carried?: CarriedAlerts, progress?: RunProgress) {
    this.#begun = begun;
    this.#progress = progress ?? null;
    this.#queuedAt = carried?.queuedAt ?? workflowInfo().startTime.getTime();
    this.#passedAlready = new Set(carried?.passed);
    if (carried !== undefined) {
      this.#startedAt = carried.startedAt;
      this.#taskAlerts = carried.taskAlerts;
      this.#failures = carried.failures;
      this.#isFailureTold = carried.isFailureTold;
    }
    this.#ofTasks = new Map(
      begun.plan.tasks.flatMap(({ id, alerts }) => (alerts === undefined ? [] : [[id, alerts] as const])),
    );
  }

  /** From here on deadlines run, also while the run waits for its turn. */
  begin(): void {
    this.#arm();
  }

  /** The run got its turn. */
  started(): void {
    this.#startedAt ??= Date.now();
    this.#arm();
  }

  changed(progress: RunProgress, instances: readonly TaskInstance[]): void {
    this.#progress = progress;
    if (this.#ofTasks.size === 0) return;
    for (const instance of instances) {
      const alerts = this.#ofTasks.get(instance.taskId);
      const incident = alerts === undefined ? null : incidentOf(alerts, instance);
      if (incident !== null && (this.#taskAlerts += 1) <= maxTaskAlerts) this.#raise(incident);
    }
  }

  /** The run failed, or is held because something of it did. Told once, until it is resumed. */
  failed(failure: RunRecord['failure']): void {
    if (this.#isFailureTold) return;
    this.#isFailureTold = true;
    this.#failures += 1;
    this.#raise(runFailedIncident(this.#begun.plan.alerts, failure, this.#failures));
  }

  /** A held run goes on: failing again is news. */
  resumed(): void {
    this.#isFailureTold = false;
  }

  /** Ends the deadlines, tells of a failure, and waits until every alert has begun a life of its own. */
  async end(outcome: 'success' | 'failed' | 'cancelled', failure: RunRecord['failure']): Promise<void> {
    this.#isOver = true;
    if (this.#armed.size > 0) this.#timers.cancel();
    if (outcome === 'failed') this.failed(failure);
    const success = runSucceededIncident(this.#begun.plan.alerts);
    // Runs under way told of it here, beside the step that closes them.
    this.#success = success !== null && patched('success is told when the ledger has it') ? success : null;
    if (outcome === 'success' && this.#success === null) this.#raise(success);
    await Promise.all(this.#starting);
  }

  /** The ledger has the run as a success: nobody closed it otherwise before. */
  async succeeded(): Promise<void> {
    this.#raise(this.#success);
    await Promise.all(this.#starting);
  }

  /** Resolves when every alert has begun a life of its own, and nothing is lost when the execution ends. */
  async settled(): Promise<void> {
    while (!this.isSettled) await Promise.all(this.#starting);
  }

  get isSettled(): boolean {
    return this.#starting.size === 0;
  }

  /** For an execution that carries on. */
  get carried(): CarriedAlerts {
    return {
      queuedAt: this.#queuedAt,
      startedAt: this.#startedAt ?? Date.now(),
      passed: [...this.#passedAlready],
      taskAlerts: this.#taskAlerts,
      failures: this.#failures,
      isFailureTold: this.#isFailureTold,
    };
  }

  #arm(): void {
    const queuedAt = this.#queuedAt;
    const { plan, facts } = this.#begun;
    for (const { atMs, incident } of deadlinesOf(plan, { facts, queuedAt, startedAt: this.#startedAt })) {
      if (this.#armed.has(incident.name) || this.#passedAlready.has(incident.name)) continue;
      this.#armed.add(incident.name);
      // No timer: it may take longer to go off than a short execution lasts.
      if (atMs <= Date.now()) {
        this.#passed(incident);
        continue;
      }
      const summary = incident.task === null ? 'deadline' : `deadline of ${incident.task}`;
      this.#timers
        .run(() => sleep(atMs - Date.now(), { summary }))
        .then(
          () => this.#passed(incident),
          () => {},
        );
    }
  }

  #passed(incident: Incident): void {
    this.#passedAlready.add(incident.name);
    const { task } = incident;
    const state = task === null ? undefined : this.#progress?.instances[task]?.state;
    if (this.#isOver || (state !== undefined && hasEnded(state))) return;
    this.#raise(incident);
  }

  #raise(incident: Incident | null): void {
    if (incident === null) return;
    const starting = this.#scope
      .run(() => this.#start(incident))
      .finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  #start(incident: Incident): Promise<void> {
    const { plan, facts } = this.#begun;
    const at = new Date().toISOString();
    return raiseAlert({ incident, dagId: plan.dagId, workflowId: workflowInfo().workflowId, facts, at });
  }
}
