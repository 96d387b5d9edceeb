import { applyChange, resettle } from './apply-change.ts';
import { attemptEnded, poolAnswered, timerFired } from './attempts.ts';
import { Draft } from './draft.ts';
import { newInstance } from './instances.ts';
import { failuresOf, outcomeOf } from './outcome.ts';
import type { Plan, TaskState } from './plan.ts';
import { fillSlots, pastSeen, settle, settleAll } from './readiness.ts';
import type { RunEvent, RunFacts, RunProgress, Step, TaskInstance } from './run-progress.ts';
import { tearDown } from './setups.ts';
import { Standing } from './standing.ts';

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
 * run) changes nothing. Looks at the whole run: who tells many events opens it once, see {@link OpenRun}.
 *
 * A run ends when all its tasks have, or, once cancelled, when no attempt is running. It fails when a task failed and
 * nothing declared handles that: see {@link outcomeOf}; with `onFailure: 'hold'` it is held in place of failing.
 */
export function advance(plan: Plan, progress: RunProgress, event: RunEvent): Step {
  if (progress.outcome !== null) return { progress, commands: [], changed: [] };
  const run = new OpenRun(plan, { ...progress, instances: { ...progress.instances } });
  const { commands, changed } = run.tell(event);
  return { progress: run.progress, commands, changed };
}

/** The same for a run that is told one event after another: its progress changes in place, and an event costs what it touches. */
export class OpenRun {
  readonly #standing: Standing;

  /** Takes over `progress.instances`, which nobody else may use from here on. */
  constructor(plan: Plan, progress: RunProgress) {
    this.#standing = new Standing(plan, progress);
  }

  /** As it is now; its instances change with the next event. */
  get progress(): RunProgress {
    return this.#standing.progress;
  }

  get held(): boolean {
    return this.#standing.held;
  }

  /** How many instances are in each state. */
  get states(): ReadonlyMap<TaskState, number> {
    return this.#standing.states;
  }

  tell(event: RunEvent): Omit<Step, 'progress'> {
    const standing = this.#standing;
    if (standing.outcome !== null) return { commands: [], changed: [] };
    const draft = new Draft(standing, event.at);
    perform(draft, event);
    settle(draft);
    if (standing.cancelRequested) tearDown(draft);
    fillSlots(draft);
    const ending = outcomeOf(draft);
    // Whatever would fail, an operator can still change: the run ends when they say so, by cancelling it.
    standing.held = ending === 'failed' && standing.plan.onFailure === 'hold';
    standing.outcome = standing.held ? null : ending;
    if (standing.outcome !== null)
      draft.command({
        type: 'finish_run',
        outcome: standing.outcome,
        failures: failuresOf(draft.instances),
      });
    else if (standing.draining && standing.running === 0) draft.command({ type: 'continue_as_new' });
    return draft.done();
  }
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
    case 'run_resumed':
      applyChange(draft, event.change);
      return resettle(draft);
    case 'tasks_cleared':
    case 'task_marked':
    case 'approval_answered':
      applyChange(draft, event);
      return resettle(draft);
    case 'cancel_requested':
      return cancel(draft);
    case 'drain_requested':
      draft.standing.draining = true;
      return;
    case 'drain_given_up':
      draft.standing.draining = false;
      return;
    case 'run_continued':
      return takeOver(draft);
    case 'attempt_succeeded':
    case 'attempt_failed':
    case 'snapshot_conflicted':
    case 'task_unknown':
      return attemptEnded(draft, event);
  }
}

/** What waits goes on waiting, in an execution that has no timers yet. */
function takeOver(draft: Draft): void {
  draft.standing.draining = false;
  for (const { key, taskId, waitingFor } of Object.values(draft.instances)) {
    if (waitingFor === null) continue;
    if (waitingFor.reason === 'pool')
      draft.command({ type: 'ask_pool', key, pool: draft.task(taskId).pool! });
    else if (waitingFor.reason === 'past') draft.lookAtPast();
    else if (waitingFor.untilMs !== null)
      draft.command({ type: 'start_timer', key, untilMs: waitingFor.untilMs });
  }
  settleAll(draft);
}

/**
 * Nothing new begins. Tasks that never began stay `none`; what waits to be tried again has failed, what waits for anything
 * else is skipped; running attempts are left to end. Teardowns go on, and those that are due begin.
 */
function cancel(draft: Draft): void {
  if (draft.cancelRequested) return;
  draft.standing.cancelRequested = true;
  for (const instance of Object.values(draft.instances)) {
    if (instance.state === 'running' && instance.size !== undefined) draft.endWhole(instance.taskId);
    if (draft.task(instance.taskId).role === 'teardown') continue;
    if (instance.state !== 'scheduled' && instance.waitingFor === null) continue;
    draft.stopWaiting(instance);
    draft.end(instance, isRetry(instance) ? 'failed' : 'skipped');
  }
}

/** It has failed, and waits to be tried again or for the slots to be tried with. */
function isRetry({ state, waitingFor, failures }: TaskInstance): boolean {
  if (waitingFor?.reason === 'retry') return true;
  return (state === 'scheduled' || waitingFor?.reason === 'pool') && failures > 0;
}
