import type { Draft } from './draft.ts';
import { durationText } from './duration.ts';
import type { ApprovalPlan } from './plan.ts';
import type { OperatorChange, TaskInstance } from './run-progress.ts';

/** The output of an approval that was given. */
export type Approval = {
  readonly approvedBy: string;
  readonly note: string | null;
  /** RFC 3339 UTC instant. */
  readonly approvedAt: string;
};

type Answer = Extract<OperatorChange, { type: 'approval_answered' }>;

export function beginApproval(draft: Draft, instance: TaskInstance, { timeoutMs }: ApprovalPlan): void {
  draft.awaitApproval(instance, timeoutMs === null ? null : draft.at + timeoutMs);
}

/** A rejection fails the task without another try, or skips it, as it was declared. */
export function answerApproval(draft: Draft, instance: TaskInstance, { answer, by, note }: Answer): void {
  if (instance.waitingFor?.reason !== 'approval') return;
  draft.stopWaiting(instance);
  if (answer === 'approved') {
    const output: Approval = { approvedBy: by, note, approvedAt: new Date(draft.at).toISOString() };
    return draft.end(instance, 'success', { output });
  }
  const message = `Rejected by ${by}${note === null ? '.' : `: ${note}`}`;
  refuse(draft, instance, approvalOf(draft, instance).onReject, 'Rejected', message);
}

export function approvalTimedOut(draft: Draft, instance: TaskInstance): void {
  const { timeoutMs, onTimeout } = approvalOf(draft, instance);
  const message = `expected an answer within ${durationText(timeoutMs ?? 0)}; found none. Clear the task to ask again, or give it a longer timeout.`;
  refuse(draft, instance, onTimeout, 'ApprovalTimeout', message);
}

function approvalOf(draft: Draft, instance: TaskInstance): ApprovalPlan {
  return draft.task(instance.taskId).approval!;
}

function refuse(
  draft: Draft,
  instance: TaskInstance,
  then: 'fail' | 'skip',
  type: string,
  message: string,
): void {
  if (then === 'skip') draft.end(instance, 'skipped');
  else draft.end(instance, 'failed', { failure: { type, message, retryable: false } });
}
