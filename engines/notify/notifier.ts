import type { CallOptions } from '../../ports/abortable.ts';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { Notification, Notifier } from '../../ports/notifier.ts';

export type NotificationLog = (
  severity: Notification['severity'],
  message: string,
  fields: Record<string, unknown>,
) => void;

/** Writes every notification to the log. */
export function logNotifier(write: NotificationLog): Notifier {
  return {
    notify: async ({ severity, title, ...fields }) => {
      write(severity, title, fields);
    },
  };
}

export interface WebhookOptions {
  readonly url: string;
  /** Longest wait for an answer; default ten seconds. */
  readonly timeoutMs?: number;
}

/** Refusals that another attempt may turn: the receiver is busy, restarting, or behind something that is. */
const passing = new Set([408, 425, 429]);

/** Posts every notification as JSON; `Idempotency-Key` is its key. */
export function webhookNotifier(options: WebhookOptions): Notifier {
  const { host } = new URL(options.url);
  return {
    notify: async (notification, call) => {
      const response = await post(options, host, notification, call);
      // The receiver's text may be anything; its beginning is enough to act on.
      const text = await response.text().catch(() => '');
      if (response.ok) return;
      const facts = {
        expected: `the webhook at ${host} to accept notification ${notification.key}`,
        found: `HTTP ${response.status} ${text.slice(0, 200).trim()}`.trim(),
        remedy: 'Check notify.webhook (INGOT_WEBHOOK) and the receiver.',
      };
      throw response.status >= 500 || passing.has(response.status)
        ? new RetryableError(facts)
        : new TerminalError(facts);
    },
  };
}

async function post(
  options: WebhookOptions,
  host: string,
  notification: Notification,
  call?: CallOptions,
): Promise<Response> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error(`no answer for ${timeoutMs / 1000} s`)), timeoutMs);
  const cancel = (): void => stop.abort(call?.signal?.reason);
  call?.signal?.addEventListener('abort', cancel, { once: true });
  try {
    if (call?.signal?.aborted) cancel();
    return await fetch(options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': notification.key },
      body: JSON.stringify(notification),
      signal: stop.signal,
    });
  } catch (error) {
    if (call?.signal?.aborted) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new RetryableError(
      {
        expected: `the webhook at ${host} to answer`,
        found: cause instanceof Error ? cause.message : String(cause),
        remedy: 'It is tried again; check that the receiver runs and can be reached.',
      },
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    call?.signal?.removeEventListener('abort', cancel);
  }
}

/** Tells all of them, by name; a failing one does not keep the others from being told. */
export function allNotifiers(channels: Readonly<Record<string, Notifier>>): Notifier {
  const notifiers = Object.values(channels);
  return {
    channels: new Map(Object.entries(channels)),
    notify: async (notification, call) => {
      const outcomes = await Promise.allSettled(
        notifiers.map((notifier) => notifier.notify(notification, call)),
      );
      const failed = outcomes
        .filter((outcome) => outcome.status === 'rejected')
        .map((outcome) => outcome.reason as Error);
      const final = failed.find((error) => error instanceof TerminalError) ?? failed[0];
      if (final !== undefined) throw final;
    },
  };
}
