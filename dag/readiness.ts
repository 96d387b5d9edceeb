import type { Json } from './json.ts';
import { instantOfText } from './interval.ts';
import { defaultActiveTasks, defaultMapLength } from './plan.ts';
import type { PastSeen } from './past.ts';
import type { PlanTask } from './plan.ts';
import { beginApproval } from './approvals.ts';
import { descendants } from './plan-index.ts';
import type { Draft } from './draft.ts';
import { instancesOf, newInstance } from './instances.ts';
import { shown } from './problems.ts';
import { isChosen } from './rule-checks.ts';
import { setupsVerdict, teardownVerdict } from './setups.ts';
import type { Failure, InstanceKey, RunProgress, TaskInstance } from './run-progress.ts';
import type { UpstreamCounts, Verdict } from './trigger-rules.ts';
import { hasEnded, triggerVerdict } from './trigger-rules.ts';

/** How a task's direct upstream tasks stand. */
export function upstreamCounts(task: PlanTask, instances: RunProgress['instances']): UpstreamCounts {
  const counts = { all: task.upstream.length, success: 0, failed: 0, upstreamFailed: 0, skipped: 0 };
  for (const id of task.upstream) {
    const state = instances[id]!.state;
    if (state === 'success') counts.success += 1;
    else if (state === 'failed') counts.failed += 1;
    else if (state === 'upstream_failed') counts.upstreamFailed += 1;
    else if (state === 'skipped') counts.skipped += 1;
  }
  return counts;
}

/** Tasks whose output the mapped list is made of. */
export function listSources(task: PlanTask): readonly string[] {
  return [
    ...new Set(
      [...JSON.stringify(task.mapOver).matchAll(/"\$ref":"task:([^"]+)"/g)].map((match) => match[1]!),
    ),
  ];
}

/**
 * Whether a task may start. Beyond its rule: no task is decided before every short circuit above it and every branch
 * directly above it has ended, because these can skip it whatever its rule, nor before the setups it depends on; only
 * `always` does not wait. A mapped task needs the list it is mapped over.
 */
function verdictOf(draft: Draft, task: PlanTask): Verdict {
  if (task.role === 'teardown') return teardownVerdict(draft, task);
  if (task.triggerRule === 'always') return 'run';
  if ((draft.index.gates.get(task.id) ?? []).some((gate) => !hasEnded(draft.state(gate)))) return 'wait';
  const setups = setupsVerdict(draft, task.id);
  if (setups !== 'run') return setups;
  const verdict = triggerVerdict(task.triggerRule, draft.standing.upstreamCounts(task.id));
  if (verdict !== 'run' || task.mapOver === null) return verdict;
  const sources = listSources(task).map((id) => draft.state(id));
  if (sources.some((state) => !hasEnded(state))) return 'wait';
  if (sources.some((state) => state === 'failed' || state === 'upstream_failed')) return 'upstream_failed';
  return sources.includes('skipped') ? 'skipped' : 'run';
}

/** Decides a task that has not begun, if it can be decided by now. */
function consider(draft: Draft, taskId: string): void {
  const instance = draft.instances[taskId]!;
  if (instance.state !== 'none' || draft.cancelRequested) return;
  const task = draft.task(taskId);
  const verdict = verdictOf(draft, task);
  if (verdict === 'skipped' || verdict === 'upstream_failed') draft.end(instance, verdict);
  else if (verdict === 'run') begin(draft, task);
}

function begin(draft: Draft, task: PlanTask): void {
  // What clears away waits for nobody's past.
  const waits = draft.plan.dependsOnPast && !draft.standing.pastSettled && task.role !== 'teardown';
  if (waits) draft.awaitPast(draft.instances[task.id]!);
  else launch(draft, task);
}

/** What was found of the previous interval's run: tasks that have no more to wait for begin. */
export function pastSeen(draft: Draft, seen: PastSeen): void {
  if (seen.settled === 'all') draft.standing.pastSettled = true;
  for (const instance of Object.values(draft.instances)) {
    if (instance.waitingFor?.reason !== 'past') continue;
    const { taskId, waitingFor } = instance;
    if (seen.settled === 'all' || seen.settled.includes(taskId)) {
      draft.set({ ...instance, waitingFor: null });
      launch(draft, draft.task(taskId));
    } else
      draft.set({
        ...instance,
        waitingFor: { ...waitingFor, past: { ...seen.previous, task: seen.tasks[taskId] ?? null } },
      });
  }
}

function launch(draft: Draft, task: PlanTask): void {
  const instance = draft.instances[task.id]!;
  if (task.mapOver !== null) expand(draft, task, draft.listOf(task));
  else if (task.wait !== null) beginWait(draft, task);
  else if (task.approval !== undefined) beginApproval(draft, instance, task.approval);
  // One that waited for its past carries the number of its attempt already.
  else draft.start(instance, instance.state === 'waiting');
}

function beginWait(draft: Draft, task: PlanTask): void {
  const instance = { ...draft.instances[task.id]!, scheduledAt: draft.at };
  const wait = task.wait!;
  const until = 'forMs' in wait ? null : draft.resolve(wait.until);
  const untilMs = 'forMs' in wait ? draft.at + wait.forMs : instantOfText(until, draft.plan.timezone);
  if (untilMs === null)
    draft.end(instance, 'failed', {
      failure: invalid(
        'WaitInstantInvalid',
        'an RFC 3339 instant or a date to wait until',
        until,
        'Return one.',
      ),
    });
  else if (untilMs <= draft.at) draft.end(instance, 'success');
  else draft.pause(instance, 'waiting', 'timer', untilMs);
}

function expand(draft: Draft, task: PlanTask, list: Json): void {
  const whole = { ...draft.instances[task.id]!, scheduledAt: draft.at };
  if (!Array.isArray(list))
    draft.end(whole, 'failed', {
      failure: invalid(
        'MapListInvalid',
        task.flatten === true ? 'a list of lists to map over' : 'a list to map over',
        draft.resolve(task.mapOver),
        'Return a list.',
      ),
    });
  else if (list.length > (task.maxMapLength ?? defaultMapLength))
    draft.end(whole, 'failed', {
      failure: invalid(
        'MapListTooLong',
        `at most ${task.maxMapLength ?? defaultMapLength} elements to map over`,
        list.length,
        'Return lists of elements, so that an instance works on several, or give the map a larger maxMapLength.',
      ),
    });
  else if (list.length === 0) draft.end(whole, 'skipped');
  else {
    draft.set({ ...whole, state: 'running', waitingFor: null, size: list.length });
    // Those of a task that was cleared, or whose earlier run ended before all its instances had.
    instancesOf(draft.instances, task.id).forEach((part, index) => {
      if (index >= list.length) draft.remove(part);
      else if (part.state !== 'success') draft.start(hasEnded(part.state) ? begunAgain(part) : part);
    });
    draft.standing.ready.add(task.id);
    draft.endWhole(task.id);
  }
}

/** Gives free slots to what is ready: the next attempt of an instance, or the next element of a mapped task. */
export function fillSlots(draft: Draft): void {
  const { ready } = draft.standing;
  const full: InstanceKey[] = [];
  while (draft.hasSlot) {
    const key = ready.take();
    if (key === undefined) break;
    const instance = draft.instances[key];
    if (instance === undefined || !draft.standing.isReady(instance)) continue;
    if (instance.state === 'scheduled') draft.begin(instance);
    else if (makePart(draft, instance.taskId)) ready.add(key);
    else full.push(key);
  }
  for (const key of full) ready.add(key);
}

/** Makes the next instance of a mapped task; false when as many as could run wait for their pool. */
function makePart(draft: Draft, taskId: string): boolean {
  const { made, open } = draft.standing.parts(taskId);
  const isPooled = draft.task(taskId).pool !== undefined;
  if (isPooled && open >= (draft.plan.maxActiveTasks ?? defaultActiveTasks)) return false;
  const part = draft.part(taskId, made);
  if (isPooled) draft.start(part);
  else draft.begin(draft.numbered(part));
  return true;
}

/** What had ended, back at its beginning under the number of its next attempt: retries start over, epochs go on. */
export function begunAgain({ taskId, mapIndex, attempt }: TaskInstance): TaskInstance {
  return { ...newInstance(taskId, mapIndex), attempt: attempt + 1 };
}

export function invalid(type: string, expected: string, found: unknown, remedy: string): Failure {
  return { type, message: `expected ${expected}; found ${shown(found)}. ${remedy}`, retryable: false };
}

/** Skips what a branch or short circuit that succeeded before forbids, among tasks that are to be decided again. */
export function forbidAgain(draft: Draft): void {
  for (const task of draft.plan.tasks)
    if (task.kind === 'branch' || task.kind === 'short_circuit') skipForbidden(draft, task);
}

/** Decides every task of the plan that can be decided, or those of them that are named. */
export function settleAll(draft: Draft, among: (task: PlanTask) => boolean = () => true): void {
  for (const task of draft.plan.tasks.filter(among)) {
    consider(draft, task.id);
    settle(draft);
  }
}

/** Follows up on the tasks that ended in this step until nothing more can be decided. */
export function settle(draft: Draft): void {
  // Grows while it is gone through.
  for (const next of draft.ended) {
    skipForbidden(draft, draft.task(next));
    for (const below of draft.index.downstream.get(next)!) consider(draft, below);
    if (draft.task(next).kind === 'short_circuit' || draft.task(next).role === 'setup')
      for (const below of descendants(draft.index.downstream, [next])) consider(draft, below);
  }
  draft.ended.length = 0;
}

/** Skips what a branch did not choose, and everything downstream of a short circuit that answered with a falsy value. */
function skipForbidden(draft: Draft, task: PlanTask): void {
  const { state, output } = draft.instances[task.id]!;
  if (state !== 'success' || draft.cancelRequested) return;
  const forbidden =
    task.kind === 'branch'
      ? notChosen(draft, task, output)
      : task.kind === 'short_circuit' && !output
        ? descendants(draft.index.downstream, [task.id])
        : [];
  for (const id of forbidden) {
    const instance = draft.instances[id]!;
    if (instance.state === 'none' && draft.task(id).role !== 'teardown') draft.end(instance, 'skipped');
  }
}

function notChosen(draft: Draft, task: PlanTask, output: Json): readonly string[] {
  const direct = draft.index.downstream.get(task.id)!;
  const chosen = direct.filter((id) => choicesOf(output).some((choice) => isChosen(id, choice)));
  const followed = new Set([...chosen, ...descendants(draft.index.downstream, chosen)]);
  return direct.filter((id) => !followed.has(id));
}

/** The ids a branch's output names. */
function choicesOf(output: Json): readonly string[] {
  return (output === null ? [] : Array.isArray(output) ? output : [output]) as readonly string[];
}

/** What is wrong with a branch's output, or null. */
export function choiceFailure(draft: Draft, task: PlanTask, output: Json): Failure | null {
  const direct = draft.index.downstream.get(task.id)!;
  const wrong = choicesOf(output).filter(
    (choice) => typeof choice !== 'string' || !direct.some((id) => isChosen(id, choice)),
  );
  if (wrong.length === 0) return null;
  return invalid(
    'BranchChoiceInvalid',
    `ids of tasks directly downstream (${direct.join(', ')}), or null`,
    wrong[0],
    'Return one of these.',
  );
}
