import type { Json } from './json.ts';
import { approvalTimedOut } from './approvals.ts';
import { durationText } from './duration.ts';
import type { Draft } from './draft.ts';
import type { PlanTask } from './plan.ts';
import type { PoolAnswer } from './pools.ts';
import { choiceFailure, invalid } from './readiness.ts';
import { conflictDelayMs, maxConflicts, retryDelayMs, unknownTaskDelayMs } from './retries.ts';
import type { Failure, RunEvent, TaskInstance } from './run-progress.ts';

export type AttemptEvent = Extract<RunEvent, { readonly attempt: number }>;

/** What the end of an attempt, or its not having begun, means for the instance. */
export function attemptEnded(draft: Draft, event: AttemptEvent): void {
  const instance = draft.instances[event.key];
  if (instance === undefined || instance.state !== 'running' || instance.attempt !== event.attempt) return;
  // A mapped task as a whole is running without an attempt of its own.
  if (instance.mapIndex === null && draft.task(instance.taskId).mapOver !== null) return;
  if (draft.task(instance.taskId).pool !== undefined)
    draft.command({ type: 'release_pool', key: instance.key });
  switch (event.type) {
    case 'attempt_succeeded':
      return succeeded(draft, instance, event.output);
    case 'attempt_failed':
      return failed(draft, instance, event.failure);
    case 'snapshot_conflicted':
      return conflicted(draft, instance);
    case 'task_unknown':
      return isGivenUp(draft, draft.task(instance.taskId))
        ? draft.end(instance, 'skipped')
        : unknown(draft, instance);
  }
}

/** A cancelled run tries nothing again, except to clear away. */
function isGivenUp(draft: Draft, { role }: PlanTask): boolean {
  return draft.cancelRequested && role !== 'teardown';
}

function unknown(draft: Draft, instance: TaskInstance): void {
  const delay = unknownTaskDelayMs(draft.at - (instance.scheduledAt ?? draft.at));
  draft.pause(instance, 'waiting', 'no_worker_knows_task', draft.at + delay);
}

function succeeded(draft: Draft, instance: TaskInstance, output: Json): void {
  const task = draft.task(instance.taskId);
  if (task.kind === 'sensor') return poked(draft, instance, task, output);
  const wrong = task.kind === 'branch' ? choiceFailure(draft, task, output) : null;
  if (wrong !== null)
    draft.end({ ...instance, failures: instance.failures + 1 }, 'failed', { failure: wrong });
  else draft.end(instance, 'success', { output });
}

function poked(draft: Draft, instance: TaskInstance, task: PlanTask, answer: Json): void {
  const { done, value } = (typeof answer === 'object' && answer !== null ? answer : {}) as {
    done?: Json;
    value?: Json;
  };
  if (typeof done !== 'boolean')
    return failed(
      draft,
      instance,
      invalid(
        'SensorAnswerInvalid',
        'a sensor to answer { done: true or false, value? }',
        answer,
        'Return such an object.',
      ),
    );
  if (done) return draft.end(instance, 'success', { output: value ?? null });
  if (draft.cancelRequested) return draft.end(instance, 'skipped');
  const deadline = deadlineOf(instance, task);
  if (draft.at >= deadline) return timedOut(draft, instance, task, null);
  draft.pause(instance, 'waiting', 'sensor', Math.min(draft.at + task.sensor!.pokeMs, deadline));
}

/** A sensor's time counts from its first poke, whatever failed in between. */
function deadlineOf(instance: TaskInstance, task: PlanTask): number {
  return task.sensor === null ? Infinity : instance.scheduledAt! + task.sensor.timeoutMs;
}

function timedOut(draft: Draft, instance: TaskInstance, task: PlanTask, last: Failure | null): void {
  if (task.sensor!.softFail) return draft.end(instance, 'skipped');
  const found = last === null ? 'no' : `a failing poke (${last.message})`;
  const message = `expected ${task.id} to be done within ${durationText(task.sensor!.timeoutMs)} of its first poke; found ${found} at the last one. Look at what it waits for, or give it a longer timeout.`;
  draft.end(instance, 'failed', { failure: { type: 'SensorTimeout', message, retryable: false } });
}

function failed(draft: Draft, before: TaskInstance, failure: Failure): void {
  const task = draft.task(before.taskId);
  const instance = { ...before, failures: before.failures + 1, failure };
  const delay = isGivenUp(draft, task) ? null : retryDelayMs(task.retries, failure, instance.failures);
  if (delay === null) return draft.end(instance, 'failed', { failure });
  const deadline = deadlineOf(instance, task);
  if (draft.at >= deadline) return timedOut(draft, instance, task, failure);
  draft.pause(instance, 'up_for_retry', 'retry', Math.min(draft.at + delay, deadline));
}

function conflicted(draft: Draft, before: TaskInstance): void {
  const instance = { ...before, conflicts: before.conflicts + 1 };
  if (isGivenUp(draft, draft.task(instance.taskId))) return draft.end(instance, 'skipped');
  if (instance.conflicts > maxConflicts)
    return draft.end(instance, 'failed', {
      failure: invalid(
        'SnapshotConflict',
        `an attempt whose snapshot holds until it publishes`,
        `${instance.conflicts} conflicts`,
        'Something publishes to its partitions without a lease; stop it and run again.',
      ),
    });
  draft.pause(instance, 'waiting', 'snapshot_conflict', draft.at + conflictDelayMs(instance.conflicts));
}

/** The timer of a waiting instance went off: the next attempt or poke begins, or a `wait` is over. */
export function timerFired(draft: Draft, instance: TaskInstance): void {
  const reason = instance.waitingFor?.reason;
  if (reason === undefined || reason === 'pool' || reason === 'past') return;
  if (reason === 'timer') return draft.end(instance, 'success');
  if (reason === 'approval') return approvalTimedOut(draft, instance);
  draft.start(instance, reason === 'sensor' || reason === 'no_worker_knows_task');
}

/** What a pool said: the attempt begins as soon as the run has a slot for it, has failed, or goes on waiting. */
export function poolAnswered(draft: Draft, answer: PoolAnswer): void {
  const instance = draft.instances[answer.key];
  if (instance?.waitingFor?.reason !== 'pool') return;
  switch (answer.type) {
    case 'granted':
      return draft.admit(instance);
    case 'refused':
      return draft.end(instance, 'failed', { failure: answer.failure });
    case 'waits':
      return draft.set({ ...instance, waitingFor: { ...instance.waitingFor, standing: answer.standing } });
  }
}
