import { attemptEnded, poolAnswered, timerFired } from './attempts.ts';
import { Draft, newInstance } from './draft.ts';
import { failuresOf, outcomeOf } from './outcome.ts';
import { applyChange, resettle } from './apply-change.ts';
import type { Plan } from './plan.ts';
import { pastSeen, settle, settleAll } from './readiness.ts';
import type { RunEvent, RunFacts, RunProgress, Step, TaskInstance } from './run-progress.ts';

export { taskOutput } from './draft.ts';
export type {
  ClearRequest,
  Failure,
  InstanceKey,
  OperatorChange,
  PastWait,
  PoolWait,
  RunCommand,
  RunEvent,
  RunFacts,
  RunProgress,
  Step,
  TaskInstance,
  TriggeringEvents,
  WaitReason,
} from './run-progress.ts';

/** A run of which nothing has begun; `run_started` begins it. */
export function startRun(plan: Plan, facts: RunFacts): RunProgress {
  const instances = Object.fromEntries(plan.tasks.map((task) => [task.id, newInstance(task.id, null)]));
  return { facts, instances, cancelRequested: false, outcome: null };
}

/**
 * What an event means: the new progress, the commands to perform in order, and the instances that changed. Total:
 * an event that no longer means anything (of an earlier attempt, of a timer that was cancelled, after the end of the
 * run) changes nothing.
 *
 * A run ends when all its tasks have, or, once cancelled, when no attempt is running. It fails when a task failed and
 * nothing declared handles that: see {@link outcomeOf}; with `onFailure: 'hold'` it is held in place of failing.
 */
export function advance(plan: Plan, progress: RunProgress, event: RunEvent): Step {
  if (progress.outcome !== null) return { progress, commands: [], changed: [] };
  const draft = new Draft(plan, progress, event.at);
  perform(draft, event);
  settle(draft);
  const ending = outcomeOf(draft);
  // Whatever would fail, an operator can still change: the run ends when they say so, by cancelling it.
  const held = ending === 'failed' && plan.onFailure === 'hold';
  const outcome = held ? null : ending;
  if (outcome !== null) draft.command({ type: 'finish_run', outcome, failures: failuresOf(draft.instances) });
  return draft.done(outcome, held);
}

function perform(draft: Draft, event: RunEvent): void {
  switch (event.type) {
    case 'run_started':
      return settleAll(draft);
    case 'timer_fired': {
      const instance = draft.instances[event.key];
      if (instance !== undefined) timerFired(draft, instance);
      return;
    }
    case 'pools_answered':
      for (const answer of event.answers) poolAnswered(draft, answer);
      return;
    case 'past_seen':
      return pastSeen(draft, event);
    case 'cancel_requested':
      return cancel(draft);
    case 'run_resumed':
      applyChange(draft, event.change);
      return resettle(draft);
    case 'tasks_cleared':
    case 'task_marked':
    case 'approval_answered':
      applyChange(draft, event);
      return resettle(draft);
    case 'attempt_succeeded':
    case 'attempt_failed':
    case 'snapshot_conflicted':
    case 'task_unknown':
      return attemptEnded(draft, event);
  }
}

/**
 * Nothing new begins. Tasks that never began stay `none`; what waits for a retry has failed, what waits for anything
 * else is skipped; running attempts are left to end.
 */
function cancel(draft: Draft): void {
  if (draft.cancelRequested) return;
  draft.cancelRequested = true;
  for (const instance of Object.values(draft.instances)) {
    if (instance.waitingFor === null) continue;
    draft.stopWaiting(instance);
    draft.end(instance, isRetry(instance) ? 'failed' : 'skipped');
  }
}

/** It has failed, and waits to be tried again or for the slots to be tried with. */
function isRetry({ waitingFor, failures }: TaskInstance): boolean {
  return waitingFor?.reason === 'retry' || (waitingFor?.reason === 'pool' && failures > 0);
}
