import type { JsonObject } from '../dag/json.ts';
import type { CallOptions } from './abortable.ts';

export interface Notification {
  /** Delivering the same key twice is the receiver's to recognise. */
  readonly key: string;
  readonly topic: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly title: string;
  readonly message: string;
  /** Run, task, attempt, error, link: whatever the receiver needs to act. Never a secret. */
  readonly context: JsonObject;
}

/** Tells people. Throws RetryableError when the receiver cannot be reached, TerminalError when it refuses for good. */
export interface Notifier {
  notify(notification: Notification, options?: CallOptions): Promise<void>;
  /** The receivers behind it, by name, for callers that must know which of them accepted; absent when there is only itself. */
  readonly channels?: ReadonlyMap<string, Notifier>;
}
