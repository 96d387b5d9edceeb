import { answerApproval } from './approvals.ts';
import { affectedBelow, clearedBy } from './clearing.ts';
import { changeProblems } from './change-problems.ts';
import type { Draft } from './draft.ts';
import { instancesOf } from './instances.ts';
import { begunAgain, forbidAgain, settle, settleAll } from './readiness.ts';
import type { Failure, OperatorChange, TaskInstance } from './run-progress.ts';
import { hasEnded } from './trigger-rules.ts';

/** Does to a run what an operator asked for. A change that does not fit the run as it stands by now does nothing. */
export function applyChange(draft: Draft, change: OperatorChange): void {
  if (changeProblems(draft.plan, draft, change).length > 0) return;
  switch (change.type) {
    case 'tasks_cleared':
      return clear(
        draft,
        clearedBy(draft.plan, draft, change).cleared.map(({ key }) => key),
      );
    case 'task_marked':
      return mark(draft, change);
    case 'approval_answered':
      return answerApproval(draft, draft.instances[change.key]!, change);
  }
}

/** Decides again what an operator's change left undecided. What `always` runs is not stopped by a gate that had already ended. */
export function resettle(draft: Draft): void {
  settle(draft);
  settleAll(draft, ({ triggerRule }) => triggerRule === 'always');
  forbidAgain(draft);
  settleAll(draft);
}

function clear(draft: Draft, keys: readonly string[]): void {
  const parts: string[] = [];
  for (const key of keys) {
    const instance = draft.instances[key]!;
    if (instance.mapIndex === null) resetWhole(draft, instance);
    else parts.push(key);
  }
  for (const key of parts) reopen(draft, draft.instances[key]!.taskId);
  for (const key of parts) {
    const instance = reset(draft, draft.instances[key]!);
    // One of a task that is still to be mapped starts with the others.
    if (draft.state(instance.taskId) !== 'none') draft.start(instance);
  }
}

function reset(draft: Draft, instance: TaskInstance): TaskInstance {
  draft.stopWaiting(instance);
  const fresh = begunAgain(instance);
  draft.set(fresh);
  return fresh;
}

function resetWhole(draft: Draft, instance: TaskInstance): void {
  for (const part of instancesOf(draft.instances, instance.taskId)) reset(draft, part);
  reset(draft, instance);
}

/** The whole of a mapped task goes on when one of its instances does. */
function reopen(draft: Draft, taskId: string): void {
  const whole = draft.instances[taskId]!;
  if (!hasEnded(whole.state)) return;
  const size = whole.size ?? draft.standing.parts(taskId).made;
  draft.set({ ...reset(draft, whole), state: 'running', scheduledAt: whole.scheduledAt, size });
}

function mark(draft: Draft, change: Extract<OperatorChange, { type: 'task_marked' }>): void {
  const { key, as, by, output } = change;
  const instance = draft.instances[key]!;
  const failure: Failure = { type: 'MarkedFailed', message: `Marked failed by ${by}.`, retryable: false };
  const result = as === 'success' ? { output } : { failure };
  const below = affectedBelow(draft.plan, draft.instances, new Set([instance.taskId]), false);
  const parts = instance.mapIndex === null ? allParts(draft, instance) : [];
  const targets = parts.filter(({ state }) => (as === 'success' ? state !== 'success' : !hasEnded(state)));
  if (instance.mapIndex !== null) reopen(draft, instance.taskId);
  else if (targets.length > 0) reopen(draft, key);
  // Cleared, and not mapped again yet: what there is of it is all there will be.
  if (targets.length > 0 && draft.state(key) === 'none')
    draft.set({ ...draft.instances[key]!, size: parts.length });
  for (const each of targets.length > 0 ? targets : [instance]) draft.end(stopped(draft, each), as, result);
  for (const id of below.keys()) resetWhole(draft, draft.instances[id]!);
}

/** The instances of a mapped task, also those that are still to be made. */
function allParts(draft: Draft, whole: TaskInstance): readonly TaskInstance[] {
  const made = instancesOf(draft.instances, whole.taskId);
  if (hasEnded(whole.state) || whole.size === undefined) return made;
  const others = Array.from({ length: whole.size - made.length }, (_, n) =>
    draft.part(whole.taskId, made.length + n),
  );
  return [...made, ...others];
}

/** An instance that is about to be given another end: whatever goes on of it is stopped. */
function stopped(draft: Draft, instance: TaskInstance): TaskInstance {
  const { key, state, attempt } = instance;
  if (hasEnded(state)) return { ...reset(draft, instance), scheduledAt: instance.scheduledAt ?? draft.at };
  draft.stopWaiting(instance);
  const task = draft.task(instance.taskId);
  if (state === 'running' && (instance.mapIndex !== null || task.mapOver === null)) {
    draft.command({ type: 'cancel_attempt', key, attempt });
    // What comes of it is nobody's any more.
    if (task.pool !== undefined) draft.command({ type: 'release_pool', key });
  }
  return { ...instance, scheduledAt: instance.scheduledAt ?? draft.at };
}
