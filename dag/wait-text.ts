import type { WaitReason } from './run-progress.ts';

/** `retry until 2026-01-01T06:00:00.000Z`: why an instance is not running, in one line. */
export function waitText({ reason, untilMs }: WaitReason): string {
  const until = untilMs === null ? '' : ` until ${new Date(untilMs).toISOString()}`;
  return `${reason.replaceAll('_', ' ')}${until}`;
}
