import type { Failure, RunFacts, TaskInstance } from './run-progress.ts';

export type AlertSeverity = 'info' | 'warning' | 'error';

/** Who is told, and how urgently. */
export interface AlertRule {
  readonly topic: string;
  readonly severity: AlertSeverity;
  /** A sentence of the user's own; `{date}` stands for the logical date. */
  readonly message?: string;
}

/** What a deadline counts from: when a scheduled run was due, when the run was created, or when it got its turn. */
export const deadlineReferences = ['schedule', 'queued', 'started'] as const;
export type DeadlineReference = (typeof deadlineReferences)[number];

export interface DeadlinePlan extends AlertRule {
  readonly afterMs: number;
  readonly from: DeadlineReference;
}

/** Of a DAG, or of one of its tasks. Absent parts tell nobody. */
export interface AlertPlan {
  readonly onFailure?: AlertRule;
  readonly onSuccess?: AlertRule;
  readonly onRetry?: AlertRule;
  readonly deadline?: DeadlinePlan;
}

/** What has alerts: a plan, with its tasks. */
export interface Alerting {
  readonly alerts?: AlertPlan;
  readonly tasks: readonly { readonly id: string; readonly alerts?: AlertPlan }[];
}

/** Something to tell people once. */
export interface Incident {
  /** Names it within its run: the same incident is told once, however often it is noticed. */
  readonly name: string;
  readonly kind:
    | 'run_failed'
    | 'run_refused'
    | 'run_succeeded'
    | 'task_failed'
    | 'task_succeeded'
    | 'task_retry'
    | 'deadline_missed';
  readonly rule: AlertRule;
  /** Null when it is the run's. */
  readonly task: string | null;
  readonly attempt: number | null;
  readonly failure: (Failure & { readonly task: string }) | null;
  /** Of a deadline: the instant that passed, and what it counts from. */
  readonly deadline: {
    readonly at: string;
    readonly from: DeadlineReference;
    readonly afterMs: number;
  } | null;
}

const nothing = { task: null, attempt: null, failure: null, deadline: null } as const;

/** What a change of an instance is worth telling. A mapped task ends as a whole; each of its instances is tried again for itself. */
export function incidentOf(alerts: AlertPlan, instance: TaskInstance): Incident | null {
  const { key, state, mapIndex, attempt, failure } = instance;
  const of = { ...nothing, task: key, attempt, failure: failure === null ? null : { ...failure, task: key } };
  if (state === 'up_for_retry' && alerts.onRetry !== undefined)
    return { ...of, name: `task/${key}/retry/${attempt}`, kind: 'task_retry', rule: alerts.onRetry };
  if (mapIndex !== null) return null;
  if (state === 'failed' && failure?.type !== 'Cancelled' && alerts.onFailure !== undefined)
    return { ...of, name: `task/${key}/failed`, kind: 'task_failed', rule: alerts.onFailure };
  if (state === 'success' && alerts.onSuccess !== undefined)
    return { ...of, name: `task/${key}/success`, kind: 'task_succeeded', rule: alerts.onSuccess };
  return null;
}

/** The run failed, for the `nth` time: a run that is held and resumed may fail again. */
export function runFailedIncident(
  alerts: AlertPlan | undefined,
  failure: Incident['failure'],
  nth = 1,
): Incident | null {
  if (alerts?.onFailure === undefined) return null;
  const name = nth === 1 ? 'failed' : `failed/${nth}`;
  return { ...nothing, name, kind: 'run_failed', rule: alerts.onFailure, failure };
}

/** The run never began: its params, or the run it was to carry on from, do not fit. */
export function runRefusedIncident(rule: AlertRule, failure: Failure): Incident {
  return {
    ...nothing,
    name: 'refused',
    kind: 'run_refused',
    rule,
    failure: { ...failure, task: '' },
  };
}

export function runSucceededIncident(alerts: AlertPlan | undefined): Incident | null {
  if (alerts?.onSuccess === undefined) return null;
  return { ...nothing, name: 'success', kind: 'run_succeeded', rule: alerts.onSuccess };
}

export interface Deadline {
  readonly atMs: number;
  readonly incident: Incident;
}

interface RunTimes {
  readonly facts: RunFacts;
  /** Milliseconds since the epoch. */
  readonly queuedAt: number;
  /** Null while the run waits for its turn. */
  readonly startedAt: number | null;
}

/** Only a scheduled run was due at a time: any other one counts from when somebody wanted it. */
function referenceOf(from: DeadlineReference, { facts, queuedAt, startedAt }: RunTimes): number | null {
  if (from === 'started') return startedAt;
  return from === 'schedule' && facts.run.type === 'scheduled' ? Date.parse(facts.interval.end) : queuedAt;
}

function deadlineOf(plan: DeadlinePlan, task: string | null, times: RunTimes): Deadline | null {
  const reference = referenceOf(plan.from, times);
  if (reference === null) return null;
  const { afterMs, from, ...rule } = plan;
  const atMs = reference + afterMs;
  const at = new Date(atMs).toISOString();
  const name = task === null ? 'deadline' : `task/${task}/deadline`;
  return {
    atMs,
    incident: { ...nothing, name, kind: 'deadline_missed', rule, task, deadline: { at, from, afterMs } },
  };
}

/** All deadlines of a run whose reference is known by now. One that has passed already is missed at once. */
export function deadlinesOf(plan: Alerting, times: RunTimes): readonly Deadline[] {
  const owners = [{ id: null, alerts: plan.alerts }, ...plan.tasks.map(({ id, alerts }) => ({ id, alerts }))];
  return owners.flatMap(({ id, alerts }) => {
    const found = alerts?.deadline === undefined ? null : deadlineOf(alerts.deadline, id, times);
    return found === null ? [] : [found];
  });
}

/** The id of the workflow that delivers an incident: Temporal refuses a second one, so an incident is told once. */
export function alertWorkflowId(runId: string, name: string): string {
  return `alert-${runId}-${name}`;
}
