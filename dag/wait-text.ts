import type { PastWait, PoolWait, WaitReason } from './run-progress.ts';

/** Why an instance waits, for people; `clock` writes an instant. */
export function waitText(waiting: WaitReason, clock: (ms: number) => string): string {
  if (waiting.reason === 'pool') return poolText(waiting);
  if (waiting.reason === 'past') return pastText(waiting);
  const until = waiting.untilMs === null ? '' : `, until ${clock(waiting.untilMs)}`;
  return `${waiting.reason.replaceAll('_', ' ')}${until}`;
}

function slotsText(count: number): string {
  return count === 1 ? '1 slot' : `${count} slots`;
}

function poolText({ pool, slots, standing }: PoolWait): string {
  const wants = `waits for ${slotsText(slots)} of pool ${pool}`;
  if (standing === null) return wants;
  const { size, held, heldBy, ahead } = standing;
  if (size === null)
    return `pool ${pool} does not exist; create it with \`ingot pools set ${pool} ${slots}\``;
  if (size === 0) return `${wants}, which is closed: it has 0 slots`;
  if (slots > size)
    return `${wants}, which has only ${size}: enlarge it with \`ingot pools set ${pool} ${slots}\``;
  const holders = heldBy.map(({ run, task }) => `${run} ${task}`);
  const named =
    holders.length === 0 ? '' : ` by ${holders.join(', ')}${held > sum(heldBy) ? ' and others' : ''}`;
  return `${wants}: ${held} of ${size} held${named}; ${ahead} ahead`;
}

function sum(holders: readonly { readonly slots: number }[]): number {
  return holders.reduce((all, { slots }) => all + slots, 0);
}

function pastText({ past }: PastWait): string {
  if (past === null) return 'waits for the run of the previous interval';
  const { dagId, workflowId, interval, state, task } = past;
  if (state === null)
    return `waits for the previous interval, ${interval.start} to ${interval.end}, which had no run: \`ingot run ${dagId} --date ${interval.start}\`, or backfill it`;
  const ended = state === 'failed' || state === 'cancelled';
  const remedy = ended ? ': clear it there (`ingot tasks clear`), or mark it (`ingot tasks mark`)' : '';
  const there = task === null ? 'has not begun' : `is ${task}`;
  return `waits for itself in ${workflowId} (${state}), where it ${there}${remedy}`;
}
