import { pc } from './colours.ts';
import type { Plan } from '../dag/plan.ts';
import type { AttemptRecord, LedgerEvent, RunRecord } from '../ports/ledger.ts';
import { instant } from './format.ts';

export interface WaitingApproval {
  readonly task: string;
  readonly message: string;
}

/** Attempts worth showing: those that ran, and how each instance stands; not what was decided and then cleared. */
export function shownAttempts(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const last = new Map<string, number>();
  const nameOf = ({ taskId, mapIndex }: AttemptRecord): string => `${taskId}[${mapIndex}]`;
  for (const each of attempts) last.set(nameOf(each), Math.max(each.attempt, last.get(nameOf(each)) ?? 0));
  return attempts.filter((each) => each.startedAt !== null || last.get(nameOf(each)) === each.attempt);
}

/** Approvals of an open run that wait for an answer. */
export function waitingApprovals(
  { state }: RunRecord,
  plan: Plan | null,
  attempts: readonly AttemptRecord[],
): readonly WaitingApproval[] {
  if (state !== 'running') return [];
  const questions = new Map(plan?.tasks.map(({ id, approval }) => [id, approval?.message]));
  return attempts.flatMap(({ taskId, state: each }) => {
    const message = questions.get(taskId);
    return each === 'waiting' && message !== undefined ? [{ task: taskId, message }] : [];
  });
}

export function approvalText({ workflowId }: RunRecord, task: string, message: string): string {
  return `${pc.yellow('waits')} for an answer to ${task}: ${message}\n  \`ingot tasks approve|reject ${workflowId} ${task}\``;
}

export function heldText({ workflowId }: Pick<RunRecord, 'workflowId'>): string {
  return `${pc.yellow('held')}: \`ingot tasks clear ${workflowId}\` runs again what failed, \`ingot tasks mark success ${workflowId} <task>\` goes on without, \`ingot runs cancel ${workflowId}\` ends it.`;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function whatText({ kind, payload }: LedgerEvent): string {
  if (kind === 'task_marked') return `marked ${text(payload['key'])} ${text(payload['as'])}`;
  if (kind === 'approval_answered') {
    const note = payload['note'];
    return `${text(payload['answer'])} ${text(payload['key'])}${typeof note === 'string' ? `: ${note}` : ''}`;
  }
  const tasks = payload['tasks'] as readonly string[];
  const flags = ['downstream', 'upstream', 'onlyFailed'].filter((flag) => payload[flag] === true);
  const which = tasks.length === 0 ? 'what had failed' : tasks.join(', ');
  return `cleared ${which}${flags.length === 0 ? '' : ` (${flags.join(', ')})`}`;
}

/** `2026-01-01 09:30:12  ann cleared load, of run 0198…`. */
export function changeText(event: LedgerEvent): string {
  const { from, by } = event.payload;
  return `${instant(event.at)}  ${text(by)} ${whatText(event)}${typeof from === 'string' ? `, of run ${from}` : ''}`;
}
