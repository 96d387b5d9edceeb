import { pc } from './colours.ts';
import { backfillIntervals, decide, type Decision, type DecisionReason } from '../dag/backfill.ts';
import { runWorkflowId } from '../dag/interval.ts';
import type { BackfillRequest } from '../ports/backfill.ts';
import type { Ledger } from '../ports/ledger.ts';
import { startText } from './backfill-view.ts';
import { count } from './format.ts';
import { textTable } from './text-table.ts';

type Asked = Pick<BackfillRequest, 'dagId' | 'timetable' | 'from' | 'to' | 'backwards' | 'reprocess'>;

const atOnce = 1000;

/** What a backfill would do with each interval, as the ledger stands now. */
export async function planBackfill(ledger: Ledger, asked: Asked): Promise<Decision[]> {
  const decisions: Decision[] = [];
  const intervals = backfillIntervals(asked.timetable, asked).toArray();
  const idOf = (interval: { end: string }): string => runWorkflowId(asked.dagId, interval);
  for (let at = 0; at < intervals.length; at += atOnce) {
    const some = intervals.slice(at, at + atOnce);
    const latest = await ledger.latestRunStates(some.map(idOf));
    for (const interval of some)
      decisions.push({ ...interval, ...decide(asked.reprocess, latest.get(idOf(interval)) ?? null) });
  }
  return decisions;
}

const shownDecisions = 20;

function reasonsText(decisions: readonly Decision[]): string {
  const groups = Map.groupBy(decisions, ({ reason }): DecisionReason => reason);
  const parts = [...groups].map(([reason, all]) => `${count(all.length)} ${reason}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

const unchangedNote =
  'Each task of these runs leaves alone what is made of the same as when it was published. Which partitions these are is told when the run takes its snapshot: a task before it may publish new versions first.';

/** The first intervals, and a summary of all. */
export function planText(decisions: readonly Decision[], skipUnchanged: boolean): string {
  const rows = decisions
    .slice(0, shownDecisions)
    .map(({ start, end, action, reason }) => [
      startText(start),
      startText(end),
      action === 'start' ? pc.green('run') : pc.dim('leave alone'),
      reason,
    ]);
  const more = decisions.length - rows.length;
  const started = decisions.filter(({ action }) => action === 'start');
  const skipped = decisions.filter(({ action }) => action === 'skip');
  return [
    textTable(['START', 'END', 'WOULD', 'WHY'], rows),
    ...(more > 0 ? [pc.dim(`… and ${count(more)} more; --json prints them all`)] : []),
    '',
    `${count(decisions.length)} intervals: ${count(started.length)} would get a run${reasonsText(started)}, ${count(skipped.length)} would be left alone${reasonsText(skipped)}. Nothing was started.`,
    ...(skipUnchanged && started.length > 0 ? [unchangedNote] : []),
  ].join('\n');
}
