import type { TaskState, TriggerRule } from './plan.ts';

/** How many direct upstream tasks there are, and how many of them ended how. */
export interface UpstreamCounts {
  readonly all: number;
  readonly success: number;
  readonly failed: number;
  readonly upstreamFailed: number;
  readonly skipped: number;
}

export type Verdict = 'run' | 'wait' | 'skipped' | 'upstream_failed';

const ended: ReadonlySet<TaskState> = new Set(['success', 'failed', 'skipped', 'upstream_failed']);

/** True for the states nothing follows on. */
export function hasEnded(state: TaskState): boolean {
  return ended.has(state);
}

/**
 * What a trigger rule says of a task. Rules and names are Airflow's; a task without upstream tasks always runs.
 *
 * A verdict other than `wait` never changes when more upstream tasks end, so the order in which they end does not
 * matter. For that, `all_success` waits for all before it skips (a failure among the rest would make it
 * `upstream_failed`), where Airflow answers with what it saw first.
 */
export function triggerVerdict(rule: TriggerRule, counts: UpstreamCounts): Verdict {
  const { all, success, skipped } = counts;
  const failures = counts.failed + counts.upstreamFailed;
  const done = success + failures + skipped === all;
  const rest = (verdict: Verdict): Verdict => (done ? verdict : 'wait');
  if (all === 0 || rule === 'always') return 'run';
  switch (rule) {
    case 'all_success':
      return failures > 0 ? 'upstream_failed' : rest(skipped > 0 ? 'skipped' : 'run');
    case 'all_failed':
      return success + skipped > 0 ? 'skipped' : rest('run');
    case 'all_done':
      return rest('run');
    case 'all_done_min_one_success':
      return rest(success > 0 ? 'run' : skipped === all ? 'skipped' : 'upstream_failed');
    case 'all_skipped':
      return success + failures > 0 ? 'skipped' : rest('run');
    case 'one_failed':
      return failures > 0 ? 'run' : rest('skipped');
    case 'one_success':
      return success > 0 ? 'run' : rest(skipped === all ? 'skipped' : 'upstream_failed');
    case 'one_done':
      return success + counts.failed > 0 ? 'run' : rest('skipped');
    case 'none_failed':
      return failures > 0 ? 'upstream_failed' : rest('run');
    case 'none_failed_min_one_success':
      return failures > 0 ? 'upstream_failed' : rest(success > 0 ? 'run' : 'skipped');
    case 'none_skipped':
      return skipped > 0 ? 'skipped' : rest('run');
  }
}
