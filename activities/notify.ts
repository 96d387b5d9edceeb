import type { TaskKind } from '../dag/builder.ts';
import type { JsonObject } from '../dag/json.ts';
import type { Notification } from '../ports/notifier.ts';
import type { TaskContext } from './task-context.ts';

export interface NotifyOptions {
  readonly topic: string;
  readonly severity: Notification['severity'];
  /** `{date}` stands for the logical date. */
  readonly title: string;
  readonly message: string;
}

/**
 * A task that tells people: the run with its arguments, and whatever its input holds. With trigger rule `one_failed` it names what failed, as far
 * as the ledger knows. Telling again (a retry) carries the same key.
 */
export function notify(
  options: NotifyOptions,
): TaskKind<Readonly<Record<string, unknown>>, null, TaskContext> {
  const { topic, severity } = options;
  return {
    name: 'notify',
    facts: { kind: 'notify', topic, severity },
    summary: `${severity} to ${topic}`,
    run: async (input, context) => {
      await context.ports.notifier.notify(await notificationOf(options, input as JsonObject, context), {
        signal: context.signal,
        beat: (note) => context.beat(note),
      });
      return null;
    },
  };
}

async function notificationOf(
  { topic, severity, title, message }: NotifyOptions,
  input: JsonObject,
  context: TaskContext,
): Promise<Notification> {
  const { dagId, taskId, run, interval, params } = context;
  const filled = (text: string): string => text.replaceAll('{date}', interval.logicalDate.slice(0, 10));
  const failed = severity === 'error' ? await failuresOf(context) : [];
  return {
    key: `${run.id}/${taskId}`,
    topic,
    severity,
    title: filled(title),
    message: [filled(message), ...failed.map(({ task, error }) => `${task}: ${error}`)].join('\n'),
    context: {
      dag: dagId,
      task: taskId,
      run: run.id,
      workflow: run.workflowId,
      type: run.type,
      interval: { ...interval },
      params,
      input,
      failed,
    },
  };
}

async function failuresOf({
  ports,
  run,
}: TaskContext): Promise<
  readonly { readonly task: string; readonly attempt: number; readonly error: string }[]
> {
  const attempts = await ports.ledger.attempts(run.id);
  return attempts
    .filter(({ state, failure }) => state === 'failed' && failure !== null)
    .map(({ taskId, attempt, failure }) => ({ task: taskId, attempt, error: failure!.message }));
}
