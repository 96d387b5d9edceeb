import { ActivityCancellationType, scheduleActivity } from '@temporalio/workflow';
import type { Json } from '../dag/json.ts';
import type { PlanTask } from '../dag/plan.ts';
import type { RunCommand, RunFacts } from '../dag/reducer.ts';
import type { AttemptReply, AttemptRequest, PublishStep, Whereabouts } from '../ports/run-steps.ts';
import { cancelledFailure, endingOf, failed, type Ending } from './failures.ts';
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

function compute(
  { dagId, workflowId, facts, task, askAnyWorker }: AttemptSetting,
  command: StartAttempt,
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
    timeoutMs: task.timeoutMs,
  };
  return scheduleActivity<AttemptReply>(`${dagId}.${taskId}`, [request], {
    ...summaryOf(task, command),
    startToCloseTimeout: task.timeoutMs + timeoutSlackMs,
    heartbeatTimeout: task.heartbeatMs ?? defaultHeartbeatMs,
    retry: attemptRetries,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    allowEagerDispatch: !askAnyWorker,
  });
}

async function publish(
  { dagId, facts }: AttemptSetting,
  command: StartAttempt,
  { staged }: AttemptReply,
): Promise<void> {
  if (staged === null) return;
  const { taskId, mapIndex, attempt } = command;
  const step: PublishStep = { runId: facts.run.id, taskId, mapIndex, attempt, staged };
  await scheduleActivity(`${dagId}.${taskId}:publish`, [step], {
    summary: `publish ${staged.label}`,
    startToCloseTimeout: stepTimeoutMs,
    retry: stepRetries,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Computes and, if there is something, publishes: two activities, so that nothing is published that the run has not accepted. */
export async function performAttempt(setting: AttemptSetting, command: StartAttempt): Promise<AttemptEnding> {
  const inputBytes = JSON.stringify(command.input).length;
  if (inputBytes > maxInputBytes) return tooLargeInput(inputBytes);
  let where: Whereabouts | null = null;
  try {
    const reply = await compute(setting, command);
    where = reply.where;
    if (!setting.mayPublish()) return failed(cancelledFailure, where);
    await publish(setting, command, reply);
    return { type: 'succeeded', output: reply.output, where };
  } catch (error) {
    const ending = endingOf(error);
    return { ...ending, where: ending.where ?? where };
  }
}
