import { dealtWithAt, dueIntervals } from '../dag/due.ts';
import { runWorkflowId, type DataInterval } from '../dag/interval.ts';
import type { Plan } from '../dag/plan.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { DagClock } from '../ports/schedule-log.ts';
import type { DueRequest, DueRuns, ScheduleSteps } from '../ports/schedule-steps.ts';
import { step } from './run-steps.ts';

/** Intervals the ledger is asked about at once, and how many of those chunks one look takes. */
const chunk = 500;
const chunksPerLook = 20;

interface Found {
  readonly due: readonly DataInterval[];
  /** Everything up to here has a run or is in `due`; null when nothing was looked at. */
  readonly through: string | null;
  readonly more: boolean;
}

/** The first `limit` due intervals that have no run, by hand or otherwise. */
async function withoutRun(
  ledger: Ledger,
  dagId: string,
  candidates: Iterator<DataInterval>,
  limit: number,
): Promise<Found> {
  const due: DataInterval[] = [];
  let through: string | null = null;
  for (let round = 0; round < chunksPerLook; round += 1) {
    const some = take(candidates, chunk);
    const known = await ledger.knownWorkflows(some.map((each) => runWorkflowId(dagId, each)));
    for (const each of some) {
      const missing = !known.has(runWorkflowId(dagId, each));
      if (missing && due.length === limit) return { due, through, more: true };
      if (missing) due.push(each);
      through = each.end;
    }
    if (some.length < chunk) return { due, through, more: false };
  }
  return { due, through, more: true };
}

function take(from: Iterator<DataInterval>, most: number): DataInterval[] {
  const taken: DataInterval[] = [];
  while (taken.length < most) {
    const { done, value } = from.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

/** Workflow ids of the DAG's runs that count towards its limit: those the ledger has open, and those just started. */
export async function activeRuns(
  ledger: Ledger,
  dagId: string,
  started: readonly string[],
): Promise<string[]> {
  const open = await ledger.runs({ dagId, state: 'running', limit: 10_000 });
  const counted = open.filter((run) => run.type !== 'backfill').map((run) => run.workflowId);
  return [...new Set([...counted, ...started])];
}

async function dueOf(
  ledger: Ledger,
  { tickedTo }: DagClock,
  plan: Plan,
  request: DueRequest,
): Promise<DueRuns> {
  const at = Date.parse(request.at);
  const active = await activeRuns(ledger, request.dagId, request.started);
  const room = Math.max(0, plan.maxActiveRuns - active.length);
  const found = await withoutRun(ledger, request.dagId, dueIntervals(plan, tickedTo, at), room);
  return {
    state: 'in_force',
    due: found.due,
    tickedTo: found.more ? found.through : dealtWithAt(plan, tickedTo, at),
    more: found.more,
    active,
    maxActiveRuns: plan.maxActiveRuns,
  };
}

async function dueRuns(ledger: Ledger, request: DueRequest): Promise<DueRuns> {
  const clock = await ledger.clock(request.dagId);
  if (clock === null || clock.plan === null) return { state: 'not_deployed' };
  if (clock.paused) return { state: 'paused' };
  return dueOf(ledger, clock, clock.plan, request);
}

/** What ticks and waiting runs ask of the ledger. Each may be repeated. */
export function createScheduleSteps(ledger: Ledger): ScheduleSteps {
  return {
    'ingot.dueRuns': (request) => step(() => dueRuns(ledger, request)),
    'ingot.moveClock': ({ dagId, tickedTo }) => step(() => ledger.moveClock(dagId, tickedTo)),
    'ingot.admitRun': ({ runId }) => step(() => ledger.admitRun(runId)),
    'ingot.nextQueued': ({ runId }) => step(() => ledger.nextQueued(runId)),
  };
}
