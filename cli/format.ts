import { pc } from './colours.ts';
import type { RunState, TaskState } from '../dag/plan.ts';

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60
    ? `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** From one instant to another, or to now. */
export function elapsed(from: string | null, to: string | null, now = Date.now()): string {
  return from === null ? '' : duration(Math.max(0, (to === null ? now : Date.parse(to)) - Date.parse(from)));
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  const number = value / 1000 ** at;
  return `${number < 10 && at > 0 ? number.toFixed(1) : Math.round(number)} ${units[at]}`;
}

/** `2026-01-01 09:30:12`, UTC. */
export function instant(text: string | null): string {
  return text === null ? '' : text.slice(0, 19).replace('T', ' ');
}

/** Enough of a hash to tell it from others. */
export function short(hash: string | null): string {
  return hash === null ? '' : hash.slice(0, 8);
}

export function stateText(state: TaskState | RunState): string {
  if (state === 'success') return pc.green(state);
  if (state === 'failed' || state === 'upstream_failed') return pc.red(state);
  if (state === 'running') return pc.cyan(state);
  return state === 'none' || state === 'skipped' ? pc.dim(state) : pc.yellow(state);
}

/** `queued` for an open run that waits for its turn under the DAG's `maxActiveRuns`, `held` for one that waits for an operator. */
export function runStateText({
  state,
  queued,
  held,
}: {
  readonly state: RunState;
  readonly queued: boolean;
  readonly held: boolean;
}): string {
  if (held) return pc.yellow('held');
  return queued ? pc.yellow('queued') : stateText(state);
}
