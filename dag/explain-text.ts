import type { Explanation, TaskStanding } from './explain.ts';
import type { Failure, WaitReason } from './run-progress.ts';
import { waitText } from './wait-text.ts';

function standingsText(standings: readonly TaskStanding[]): string {
  return standings.map(({ taskId, state }) => `${taskId} (${state})`).join(', ');
}

/** An explanation in one line; `failure` is the instance's own. */
export function explanationText(explanation: Explanation, failure: Failure | null): string {
  switch (explanation.kind) {
    case 'unknown_instance':
      return 'the run has no such task';
    case 'running':
      return explanation.attempt === 0
        ? 'its instances are under way'
        : `attempt ${explanation.attempt} is under way`;
    case 'ended':
      return endedText(explanation, failure);
    case 'waiting':
      return `${waitingText(explanation.for)}${failure === null ? '' : `, after ${failure.type}: ${failure.message}`}`;
    case 'waiting_for_slot':
      return `waits for one of the ${explanation.maxActiveTasks} slots of the run (maxActiveTasks)`;
    case 'upstream_open':
      return `waits for upstream: ${standingsText(explanation.open)}`;
    case 'undecided_above':
      return `may still be skipped by what is above: ${standingsText(explanation.open)}`;
    case 'run_cancelled':
      return 'the run was cancelled before it began';
    case 'run_ended':
      return `the run ended as ${explanation.outcome} before it did`;
  }
}

function waitingText(reason: WaitReason): string {
  const text = waitText(reason, (ms) => new Date(ms).toISOString());
  return reason.reason === 'pool' || reason.reason === 'past' ? text : `waits: ${text}`;
}

function endedText(
  { state, because }: Extract<Explanation, { kind: 'ended' }>,
  failure: Failure | null,
): string {
  if (failure !== null) return `${failure.type}: ${failure.message}`;
  if (because.length === 0) return state === 'skipped' ? 'it skipped itself' : '';
  const failed = because.filter(({ state: each }) => each === 'failed' || each === 'upstream_failed');
  return `because of ${standingsText(state === 'upstream_failed' ? failed : because)}`;
}
