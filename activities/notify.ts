import { setTimeout as delay } from 'node:timers/promises';
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

export interface NotifyInput {
  /** What the message is about: another task's output, sent along as it is. */
  readonly about?: object;
}

/**
 * A task that tells people: the run with its arguments, and whatever its input holds. With trigger rule `one_failed` it names what failed, as far
 * as the ledger knows. Telling again (a retry) carries the same key.
 */
export function notify(options: NotifyOptions): TaskKind<NotifyInput, null, TaskContext> {
  const { topic, severity } = options;
  return {
    name: 'notify',
    facts: { kind: 'notify', topic, severity },
    summary: `${severity} to ${topic}`,
    run: async (input, context) => {
      await context.ports.notifier.notify(
        await notificationOf(options, (input.about ?? {}) as JsonObject, context),
        {
          signal: context.signal,
          beat: (note) => context.beat(note),
        },
      );
      return null;
    },
  };
}

async function notificationOf(
  { topic, severity, title, message }: NotifyOptions,
  about: JsonObject,
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
      about,
      failed,
    },
  };
}

type FailedAttempt = { readonly task: string; readonly attempt: number; readonly error: string };

const askAgainMs = 250;
const patienceMs = 5_000;

/** The ledger hears of attempts about a second after they end, so an alert asks for a while; it goes out in any case. */
async function failuresOf({ ports, run, signal }: TaskContext): Promise<readonly FailedAttempt[]> {
  for (let waited = 0; ; waited += askAgainMs) {
    const attempts = await ports.ledger.attempts(run.id);
    const failed = attempts.filter(({ failure }) => failure !== null);
    if (failed.length > 0 || waited >= patienceMs)
      return failed.map(({ taskId, attempt, failure }) => ({
        task: taskId,
        attempt,
        error: failure!.message,
      }));
    await delay(askAgainMs, undefined, { signal });
  }
}
