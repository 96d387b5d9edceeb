import type { Json } from '../dag/json.ts';

/** What an attempt logs is under `logs/<dag>/<run>/<task>[/<index>]/<attempt>/`, in parts whose keys sort by the time they were begun. */
export const logRoot = 'logs/';

export interface AttemptName {
  readonly dagId: string;
  readonly runId: string;
  readonly taskId: string;
  /** Null for a task that is not mapped. */
  readonly mapIndex: number | null;
}

export function instanceLogPrefix({ dagId, runId, taskId, mapIndex }: AttemptName): string {
  return `${logRoot}${dagId}/${runId}/${taskId}/${mapIndex === null ? '' : `${mapIndex}/`}`;
}

export function attemptLogPrefix(name: AttemptName, attempt: number): string {
  return `${instanceLogPrefix(name)}${attempt}/`;
}

/** The run a log belongs to, or null for a key of another form. */
export function runOfLog(key: string): string | null {
  const [root, , runId, ...rest] = key.split('/');
  return `${root}/` === logRoot && runId !== undefined && rest.length >= 3 ? runId : null;
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One line of a part. Secrets were taken out before it was written. */
export interface LogLine {
  /** RFC 3339, by the clock of the worker. */
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, Json>>;
  /** What the boundary says of the attempt, in place of its body. */
  readonly event?: 'began' | 'waits' | 'ended' | 'truncated';
  readonly error?: { readonly type: string; readonly stack: string };
}
