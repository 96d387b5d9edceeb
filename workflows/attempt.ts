import { ActivityCancellationType, scheduleActivity, workflowInfo } from '@temporalio/workflow';
import type { Json } from '../dag/json.ts';
import type { PlanTask } from '../dag/plan.ts';
import { taskQueueOf } from '../dag/queues.ts';
import type { RunCommand, RunFacts } from '../dag/reducer.ts';
import type {
  AttemptReply,
  AttemptRequest,
  Followed,
  PublishStep,
  StagedManifest,
  Whereabouts,
} from '../ports/run-steps.ts';
import { wakeFeeds } from './asset-feed.ts';
import { cancelledFailure, endingOf, failed, type Ending } from './failures.ts';
import type { JobWaits } from './job-waits.ts';
import {
  attemptRetries,
  defaultHeartbeatMs,
  maxInputBytes,
  stepRetries,
  stepTimeoutMs,
  timeoutSlackMs,
} from './policies.ts';

export type StartAttempt = Extract<RunCommand, { type: 'start_attempt' }>;

export type AttemptEnding =
  | Ending
  | { readonly type: 'succeeded'; readonly output: Json; readonly where: Whereabouts };

export interface AttemptSetting {
  readonly dagId: string;
  readonly workflowId: string;
  readonly facts: RunFacts;
  readonly task: PlanTask;
  /** No worker asked so far knows the task: do not ask the same one first. */
  readonly askAnyWorker: boolean;
  /** False once the run is being cancelled. */
  readonly mayPublish: () => boolean;
  readonly jobs: JobWaits;
}

/** How often an attempt began again, and until when it may take. */
interface Pass {
  readonly resumed: number;
  readonly untilMs: number;
}

function tooLargeInput(bytes: number): Ending {
  const message = `Expected an input of at most ${maxInputBytes / 1024} KiB; found ${Math.ceil(bytes / 1024)} KiB of text. Let the upstream tasks return keys or partition references in place of data.`;
  return failed({ type: 'TerminalError', message, retryable: false });
}

/** What the activity's type does not already say. */
function summaryOf(
  { summary }: PlanTask,
  { mapIndex, attempt }: StartAttempt,
): { readonly summary?: string } {
  const parts = [
    mapIndex === null ? null : `[${mapIndex}]`,
    summary,
    attempt > 1 ? `attempt ${attempt}` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? {} : { summary: parts.join(' ') };
}

/** Of a task on a queue of its own, where the attempt waits. There is no timeout from scheduling to start: a queue nobody polls is a wait. */
function routed({ queue }: PlanTask): { readonly taskQueue?: string } {
  return queue === undefined ? {} : { taskQueue: taskQueueOf(workflowInfo().taskQueue, queue) };
}

function compute(
  { dagId, workflowId, facts, task, askAnyWorker }: AttemptSetting,
  command: StartAttempt,
  timeoutMs: number,
  resumed: number,
): Promise<AttemptReply> {
  const { taskId, mapIndex, attempt, lease, input } = command;
  const request: AttemptRequest = {
    dagId,
    taskId,
    mapIndex,
    attempt,
    lease,
    input,
    workflowId,
    facts,
    timeoutMs,
    ...(resumed === 0 ? {} : { resumed }),
  };
  return scheduleActivity<AttemptReply>(`${dagId}.${taskId}`, [request], {
    ...summaryOf(task, command),
    startToCloseTimeout: timeoutMs + timeoutSlackMs,
    heartbeatTimeout: task.heartbeatMs ?? defaultHeartbeatMs,
    retry: attemptRetries,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    allowEagerDispatch: !askAnyWorker,
    ...routed(task),
  });
}

function publish(
  setting: AttemptSetting,
  command: StartAttempt,
  staged: StagedManifest,
): Promise<Followed | undefined> {
  const { dagId, facts } = setting;
  const { taskId, mapIndex, attempt } = command;
  const step: PublishStep = { runId: facts.run.id, taskId, mapIndex, attempt, staged };
  return scheduleActivity(`${dagId}.${taskId}:publish`, [step], {
    summary: `publish ${staged.label}`,
    startToCloseTimeout: stepTimeoutMs,
    retry: stepRetries,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

function endingAt(error: unknown, where: Whereabouts): AttemptEnding {
  const ending = endingOf(error);
  return { ...ending, where: ending.where ?? where };
}

/** Leaves the worker to others while a job runs elsewhere; then the body begins again, with what it remembers. */
async function afterJob(
  setting: AttemptSetting,
  command: StartAttempt,
  { awaiting, where }: AttemptReply,
  { resumed, untilMs }: Pass,
): Promise<AttemptEnding> {
  const { dagId, task, jobs } = setting;
  const place = `${dagId}.${command.key}, attempt ${command.attempt}`;
  try {
    await jobs.untilEnded(command.key, { job: awaiting!, place, untilMs });
    const leftMs = Math.max(untilMs - Date.now(), 1);
    const reply = await compute(setting, command, Math.min(leftMs, task.timeoutMs), resumed + 1);
    const since = { ...reply, where: { ...reply.where, startedAt: where.startedAt } };
    return accept(setting, command, since, { resumed: resumed + 1, untilMs });
  } catch (error) {
    return endingAt(error, where);
  }
}

function accept(
  setting: AttemptSetting,
  command: StartAttempt,
  reply: AttemptReply,
  pass: Pass,
): AttemptEnding | Promise<AttemptEnding> {
  const { output, staged, where } = reply;
  if (reply.awaiting !== undefined) return afterJob(setting, command, reply, pass);
  const succeeded: AttemptEnding = { type: 'succeeded', output, where };
  if (staged === null) return succeeded;
  if (!setting.mayPublish()) return failed(cancelledFailure, where);
  return publish(setting, command, staged).then(
    (followed) => {
      // Nobody waits for it: a feed that is not woken looks by itself.
      if (followed?.wake !== undefined) void wakeFeeds(followed.wake);
      return succeeded;
    },
    (error: unknown) => endingAt(error, where),
  );
}

/**
 * Computes and, if there is something, publishes: two activities, so that nothing is published that the run has not accepted.
 * Written with few promises: for every one made in a workflow the SDK takes and formats a stack trace.
 */
export function performAttempt(setting: AttemptSetting, command: StartAttempt): Promise<AttemptEnding> {
  const inputBytes = JSON.stringify(command.input).length;
  if (inputBytes > maxInputBytes) return Promise.resolve(tooLargeInput(inputBytes));
  const { timeoutMs } = setting.task;
  const pass = { resumed: 0, untilMs: Date.now() + timeoutMs };
  return compute(setting, command, timeoutMs, 0).then(
    (reply) => accept(setting, command, reply, pass),
    endingOf,
  );
}
