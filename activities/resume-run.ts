import { changeProblems } from '../dag/change-problems.ts';
import type { Plan } from '../dag/plan.ts';
import { carriedOver, resumeRun, type CarriedInstance, type EarlierRun } from '../dag/resume.ts';
import type { RunFacts, TaskInstance } from '../dag/reducer.ts';
import { RetryableError, TerminalError } from '../ports/errors.ts';
import type { AttemptRecord, Ledger, RunRecord } from '../ports/ledger.ts';
import { changeEvent } from '../dag/operator-event.ts';
import type { BeginRunRequest, ResumeRequest } from '../ports/run-steps.ts';

/** A closed run that another one carries on from. */
export interface Resumed {
  readonly from: RunRecord;
  readonly plan: Plan;
  readonly earlier: EarlierRun;
  readonly attempts: readonly AttemptRecord[];
}

const milliseconds = (instant: string | null): number | null =>
  instant === null ? null : Date.parse(instant);

/** The last attempt of each instance. */
function lastAttempts(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const last = new Map<string, AttemptRecord>();
  for (const each of attempts) {
    const key = `${each.taskId}[${each.mapIndex}]`;
    if ((last.get(key)?.attempt ?? -1) < each.attempt) last.set(key, each);
  }
  return [...last.values()];
}

function carriedInstance(record: AttemptRecord): CarriedInstance {
  const { taskId, mapIndex, attempt, state, output, failure, scheduledAt, endedAt } = record;
  return {
    taskId,
    mapIndex: mapIndex < 0 ? null : mapIndex,
    attempt,
    state,
    output,
    failure,
    scheduledAt: milliseconds(scheduledAt),
    endedAt: milliseconds(endedAt),
  };
}

/** How far the instances of a run came, by its recorded attempts. */
export function carriedInstances(attempts: readonly AttemptRecord[]): readonly CarriedInstance[] {
  return lastAttempts(attempts).map(carriedInstance);
}

async function latestBefore(ledger: Ledger, begin: BeginRunRequest): Promise<RunRecord | undefined> {
  const runs = await ledger.runs({ workflowId: begin.workflowId, limit: 2 });
  return runs.find(({ runId }) => runId !== begin.runId);
}

/** Throws TerminalError when there is no such run or a later one of the interval, RetryableError while it is not closed in the ledger. */
export async function readEarlier(
  ledger: Ledger,
  begin: BeginRunRequest,
  { runId }: ResumeRequest,
): Promise<Resumed> {
  const from = await latestBefore(ledger, begin);
  const place = `a run of ${begin.dagId}`;
  if (from === undefined || from.runId !== runId)
    throw new TerminalError({
      place,
      expected: `run ${runId} to be the latest of ${begin.workflowId}`,
      found: from === undefined ? 'none in the ledger' : `run ${from.runId}`,
      remedy: 'Look at that one with `ingot runs show`, and clear it.',
    });
  if (from.state === 'running')
    throw new RetryableError({
      place,
      expected: `run ${runId} to be closed`,
      found: 'it is open in the ledger',
      remedy: 'A worker closes it once Temporal says that its execution has ended.',
    });
  const [plan, attempts] = await Promise.all([ledger.plan(from.planHash), ledger.attempts(runId)]);
  if (plan === null)
    throw new Error(`The ledger holds no plan ${from.planHash}, which run ${runId} was begun with.`);
  return { from, plan, attempts, earlier: { outcome: from.state, instances: carriedInstances(attempts) } };
}

export function refuseUnfit({ plan, earlier }: Resumed, facts: RunFacts, { change }: ResumeRequest): void {
  const problems = changeProblems(plan, resumeRun(plan, facts, earlier), change);
  if (problems.length === 0) return;
  throw new TerminalError({
    place: `run ${facts.run.id}`,
    expected: 'a change that fits the run it carries on from',
    found: problems.map(({ place, message }) => `${place}: ${message}`).join('; '),
    remedy: 'Look at it with `ingot runs show`.',
  });
}

/** A last attempt as it stands in the run that carries on: as it was, or as not begun under its next number. */
function carriedRecord(record: AttemptRecord, { state, attempt }: TaskInstance): AttemptRecord {
  if (state !== 'none') return record;
  const { taskId, mapIndex } = record;
  const nothing = {
    scheduledAt: null,
    startedAt: null,
    endedAt: null,
    worker: null,
    failure: null,
    output: null,
  };
  return { taskId, mapIndex, attempt, state, ...nothing };
}

/** What is carried over is known of the new run from its beginning, and who started it. */
export async function recordCarried(
  ledger: Ledger,
  begin: BeginRunRequest,
  { from, attempts }: Resumed,
  { change }: ResumeRequest,
): Promise<void> {
  const last = lastAttempts(attempts);
  const instances = carriedOver({ outcome: from.state, instances: last.map(carriedInstance) });
  const carried = last.map((each, index) => carriedRecord(each, instances[index]!));
  await ledger.recordAttempts(begin.runId, carried, [
    changeEvent(begin.runId, 0, begin.startedAt, change, { from: from.runId }),
  ]);
}
