import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { Notification, Notifier } from '../../ports/notifier.ts';

export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with user and password if the server wants them. */
  readonly url: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Longest silence of the server; default ten seconds. */
  readonly timeoutMs?: number;
}

interface SmtpFailure extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

/** The server's own verdict: 5xx is for good, except that a login it refuses may be its own trouble for a while. */
function isForGood({ code, responseCode }: SmtpFailure): boolean {
  return code !== 'EAUTH' && responseCode !== undefined && responseCode >= 500;
}

/** One line: a header must not be able to hold another one. */
function subjectOf({ severity, title }: Notification): string {
  const line = title.replaceAll(/\s+/g, ' ').slice(0, 200);
  return severity === 'info' ? line : `[${severity}] ${line}`;
}

/** The same notification has the same Message-ID, by which mail programs know it again. */
function messageId({ key }: Notification, from: string): string {
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'ingot.invalid';
  return `<${createHash('sha256').update(key).digest('hex').slice(0, 40)}@${domain}>`;
}

/** Mails every notification as plain text. */
export function smtpNotifier({ url, from, to, timeoutMs = 10_000 }: SmtpOptions): Notifier {
  const { host } = new URL(url);
  const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
  return {
    notify: async (notification) => {
      const transport = createTransport({ url, ...timeouts });
      try {
        await transport.sendMail({
          from,
          to: [...to],
          subject: subjectOf(notification),
          text: notification.message,
          messageId: messageId(notification, from),
          headers: { 'X-Ingot-Topic': notification.topic, 'X-Ingot-Severity': notification.severity },
        });
      } catch (error) {
        const failure = error as SmtpFailure;
        const facts = {
          expected: `the mail server at ${host} to accept notification ${notification.key}`,
          found: failure.message,
          remedy: 'Check notify.smtp and the server.',
        };
        throw isForGood(failure)
          ? new TerminalError(facts, { cause: error })
          : new RetryableError(facts, { cause: error });
      } finally {
        transport.close();
      }
    },
  };
}
