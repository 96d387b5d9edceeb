import type { Incident } from '../dag/alerts.ts';
import { durationText } from '../dag/duration.ts';
import type { AlertRequest } from '../ports/alert-steps.ts';
import type { Notification } from '../ports/notifier.ts';

const from: Readonly<Record<NonNullable<Incident['deadline']>['from'], string>> = {
  schedule: 'after it was due',
  queued: 'after it was created',
  started: 'after it began',
};

function titleOf({ incident, dagId, facts }: AlertRequest): string {
  const run = `${dagId} ${facts.interval.logicalDate.slice(0, 16).replace('T00:00', '')}`;
  const { kind, task, attempt, deadline } = incident;
  switch (kind) {
    case 'run_failed':
      return `${run} failed`;
    case 'run_refused':
      return `${run} was refused and never began`;
    case 'run_succeeded':
      return `${run} succeeded`;
    case 'task_failed':
      return `${run}: ${task} failed`;
    case 'task_succeeded':
      return `${run}: ${task} succeeded`;
    case 'task_retry':
      return `${run}: attempt ${attempt} of ${task} failed and is tried again`;
    case 'deadline_missed':
      return `${run}: ${task ?? 'the run'} has not ended ${durationText(deadline!.afterMs)} ${from[deadline!.from]}`;
  }
}

/** What to type next. */
function commandsOf({ incident, workflowId }: AlertRequest): string[] {
  const { kind } = incident;
  // The ledger knows nothing of a run that was refused.
  if (kind === 'run_succeeded' || kind === 'task_succeeded' || kind === 'run_refused') return [];
  const task = incident.failure?.task ?? incident.task;
  const logs =
    task === null || task === '' || incident.failure === null
      ? []
      : [`ingot tasks logs ${workflowId} ${task}`];
  return [`ingot runs show ${workflowId}`, ...logs];
}

/** An alert in words, with everything the receiver needs to act. */
export function alertNotification(alert: AlertRequest): Notification {
  const { incident, dagId, workflowId, facts, at } = alert;
  const { rule, kind, task, attempt, failure, deadline } = incident;
  const { start, end, logicalDate } = facts.interval;
  const commands = commandsOf(alert);
  const lines = [
    rule.message?.replaceAll('{date}', logicalDate.slice(0, 10)),
    failure === null
      ? null
      : `${failure.task === '' ? '' : `${failure.task}: `}${failure.type}: ${failure.message}`,
    deadline === null ? null : `Deadline: ${deadline.at}.`,
    `Run ${facts.run.id} (${facts.run.type}), interval ${start} to ${end}.`,
    ...commands.map((command) => `  ${command}`),
  ].filter((line) => line !== null && line !== undefined);
  return {
    key: `${facts.run.id}/${incident.name}`,
    topic: rule.topic,
    severity: rule.severity,
    title: titleOf(alert),
    message: lines.join('\n'),
    context: {
      alert: kind,
      dag: dagId,
      run: facts.run.id,
      workflow: workflowId,
      type: facts.run.type,
      interval: { start, end, logicalDate },
      task,
      attempt,
      failure: failure === null ? null : { ...failure },
      deadline: deadline === null ? null : { ...deadline },
      at,
      commands,
    },
  };
}
