import type { Plan, TaskKindName, TaskState } from '../dag/plan.ts';
import { waitText } from '../dag/wait-text.ts';
import type { InstanceKey, RunProgress, TaskInstance } from '../dag/reducer.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { RunSummary, RunView, TaskView } from '../ports/run-steps.ts';

const maxRows = 100;
/** An answer is one message: Temporal refuses two megabytes. */
const maxTasks = 1000;
const cellLength = 160;
const messageLength = 1000;

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

type Jobs = ReadonlyMap<InstanceKey, ExternalJob>;

function taskView(instance: TaskInstance, kind: TaskKindName, job: ExternalJob | undefined): TaskView {
  const { key, taskId, state, attempt, waitingFor, failure, scheduledAt, endedAt } = instance;
  return {
    key,
    taskId,
    kind,
    state,
    attempt,
    waitingFor,
    failure: failure === null ? null : { ...failure, message: failure.message.slice(0, messageLength) },
    scheduledAt: instant(scheduledAt),
    endedAt: instant(endedAt),
    ...(job === undefined ? {} : { job }),
  };
}

/** The answer of the query `progress`. */
export function runView(plan: Plan, planHash: string, progress: RunProgress, jobs: Jobs): RunView {
  const kinds = new Map(plan.tasks.map((task) => [task.id, task.kind]));
  const all = Object.values(progress.instances);
  const shown = all.length > maxTasks ? mostUrgent(all, maxTasks) : all;
  return {
    dagId: plan.dagId,
    runId: progress.facts.run.id,
    planHash,
    state: progress.outcome ?? 'running',
    waitingFor: null,
    cancelRequested: progress.cancelRequested,
    ...(progress.held ? { held: true as const } : {}),
    facts: progress.facts,
    tasks: shown.map((instance) =>
      taskView(instance, kinds.get(instance.taskId) ?? 'task', jobs.get(instance.key)),
    ),
    ...(shown.length < all.length ? { counts: countStates(progress) } : {}),
  };
}

/** The `most` instances that need attention first, each kind in the order of the plan; all of them, as they come, when they are fewer. */
function mostUrgent(instances: readonly TaskInstance[], most: number): readonly TaskInstance[] {
  const failed: TaskInstance[] = [];
  const waiting: TaskInstance[] = [];
  const running: TaskInstance[] = [];
  const others: TaskInstance[] = [];
  for (const instance of instances) {
    const { state, waitingFor } = instance;
    const kind =
      state === 'failed' ? failed : waitingFor !== null ? waiting : state === 'running' ? running : others;
    if (kind.length < most) kind.push(instance);
  }
  return [...failed, ...waiting, ...running, ...others].slice(0, most);
}

/** The same before a worker that knows the DAG was found. */
export function unbegunView(dagId: string, runId: string): RunView {
  return waitingView(dagId, runId, null, 'a worker that knows the DAG');
}

/** The same before its first task. */
export function waitingView(
  dagId: string,
  runId: string,
  planHash: string | null,
  waitingFor: RunView['waitingFor'],
): RunView {
  return {
    dagId,
    runId,
    planHash,
    state: 'running',
    waitingFor,
    cancelRequested: false,
    facts: null,
    tasks: [],
  };
}

function countStates(progress: RunProgress): Partial<Record<TaskState, number>> {
  const counts: Partial<Record<TaskState, number>> = {};
  for (const { state } of Object.values(progress.instances)) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

export function runSummary(planHash: string, progress: RunProgress): RunSummary {
  return { runId: progress.facts.run.id, planHash, tasks: countStates(progress) };
}

function remark({ key, waitingFor, failure }: TaskInstance, jobs: Jobs): string {
  const job = jobs.get(key);
  if (job !== undefined) return `waits for ${job.label}`.slice(0, cellLength).replaceAll('|', '\\|');
  if (waitingFor !== null)
    return waitText(waitingFor, (ms) => instant(ms)!)
      .slice(0, cellLength)
      .replaceAll('|', '\\|');
  if (failure === null) return '';
  return `${failure.type}: ${failure.message}`
    .slice(0, cellLength)
    .replaceAll('|', '\\|')
    .replaceAll(/\s+/g, ' ');
}

/** What the Temporal UI says of a run that needs somebody. */
function callForHelp(workflowId: string, progress: RunProgress): string[] {
  const asks = Object.values(progress.instances)
    .filter(({ waitingFor }) => waitingFor?.reason === 'approval')
    .map(({ key }) => `**${key} waits for an answer**: \`ingot tasks approve|reject ${workflowId} ${key}\``);
  const held = `**Held**: \`ingot tasks clear ${workflowId}\` runs again what failed, \`ingot tasks mark success ${workflowId} <task>\` lets it go on without, \`ingot runs cancel ${workflowId}\` ends it.`;
  const lines = progress.held ? [held, ...asks] : asks;
  return lines.flatMap((line) => [line, '']);
}

/** The run at a glance, for the Temporal UI: what needs attention first, then the rest, cut to a bounded length. */
export function detailsTable(workflowId: string, progress: RunProgress, jobs: Jobs): string {
  const instances = Object.values(progress.instances);
  const rows = mostUrgent(instances, maxRows).map(
    (each) => `| ${each.key} | ${each.state} | ${each.attempt} | ${remark(each, jobs)} |`,
  );
  const counts = Object.entries(countStates(progress)).map(([state, count]) => `${count} ${state}`);
  const more = instances.length - rows.length;
  return [
    ...callForHelp(workflowId, progress),
    counts.join(', '),
    '',
    '| task | state | attempt | |',
    '|---|---|---|---|',
    ...rows,
    ...(more > 0 ? [`| … ${more} more | | | |`] : []),
  ].join('\n');
}
