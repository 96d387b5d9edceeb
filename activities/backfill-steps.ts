import { backfillIntervals, decide } from '../dag/backfill.ts';
import type { Decision } from '../dag/backfill.ts';
import { runWorkflowId } from '../dag/interval.ts';
import type {
  Answer,
  AskRequest,
  BackfillLog,
  BackfillSteps,
  BeginBackfillRequest,
} from '../ports/backfill.ts';
import { step } from './run-steps.ts';

/** Intervals looked at in one call: a long stretch that needs no run takes few calls, and no answer grows large. */
const lookedAt = 200;

async function begin(ledger: BackfillLog, backfill: BeginBackfillRequest): Promise<string | null> {
  const { timetable } = backfill.request;
  let first: string | null = null;
  let total = 0;
  for (const { start } of backfillIntervals(timetable, backfill.request)) {
    first ??= start;
    total += 1;
  }
  await ledger.beginBackfill({ ...backfill, total });
  return first;
}

/** Decisions on the next intervals, as the ledger stands now; ends after the last that may be started. */
async function decideNext(ledger: BackfillLog, { request, cursor, free }: AskRequest): Promise<Answer> {
  if (cursor === null || free === 0) return { decisions: [], cursor };
  const next = backfillIntervals(request.timetable, request, cursor)
    .take(lookedAt + 1)
    .toArray();
  const idOf = (interval: { end: string }): string => runWorkflowId(request.dagId, interval);
  const latest = await ledger.latestRunStates(next.map(idOf));
  const decisions: Decision[] = [];
  let starts = 0;
  for (const interval of next) {
    if (starts === free || decisions.length === lookedAt) return { decisions, cursor: interval.start };
    const decision = decide(request.reprocess, latest.get(idOf(interval)) ?? null);
    if (decision.action === 'start') starts += 1;
    decisions.push({ ...interval, ...decision });
  }
  return { decisions, cursor: null };
}

/** The activities of a backfill. What the ledger is told comes first, so that a decision never overtakes what it rests on. */
export function createBackfillSteps(ledger: BackfillLog): BackfillSteps {
  return {
    'ingot.beginBackfill': (request) => step(() => begin(ledger, request)),
    'ingot.askBackfill': (request) =>
      step(async () => {
        await ledger.recordBackfill(request.backfillId, request);
        return decideNext(ledger, request);
      }),
    'ingot.endBackfill': ({ backfillId, outcome, endedAt }) =>
      step(() => ledger.endBackfill(backfillId, outcome, endedAt)),
  };
}
