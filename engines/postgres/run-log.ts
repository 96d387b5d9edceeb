import { canonicalJson } from '../../dag/json.ts';
import type { Json } from '../../dag/json.ts';
import type { Plan, RunOutcome } from '../../dag/plan.ts';
import { RunClosedError, TerminalError } from '../../ports/errors.ts';
import type { NewRun, RunFilter, RunLog, RunRecord } from '../../ports/ledger.ts';
import { takeLocks } from './advisory-locks.ts';
import { readAttempts, recordAttempts } from './attempts.ts';
import type { Database, Query } from './database.ts';
import { insertEvents, listEvents } from './events.ts';
import { jsonText } from './json-text.ts';

const runColumns = `run_id as "runId", workflow_id as "workflowId", dag_id as "dagId", type, state, queued, held, logical_date as "logicalDate",
  interval_start as "intervalStart", interval_end as "intervalEnd", params, plan_hash as "planHash", build,
  started_at as "startedAt", ended_at as "endedAt", failure`;

function closed(run: NewRun, found: string): RunClosedError {
  return new RunClosedError({
    place: `run ${run.runId} of ${run.workflowId}`,
    expected: 'a run that is not yet closed',
    found,
    remedy: 'Start a new run of the interval if it is still wanted.',
  });
}

/** Runs of the same workflow id follow one another, so at most one of them is open and the newest start is the real one. */
async function makeWay(query: Query, run: NewRun): Promise<{ readonly planHash: string } | null> {
  const others = await query<{ runId: string; state: string; newer: boolean; planHash: string }>(
    `select run_id as "runId", state, started_at > $3::timestamptz as newer, plan_hash as "planHash" from ingot.runs
      where run_id = $1 or workflow_id = $2 and (state = 'running' or started_at > $3::timestamptz)`,
    [run.runId, run.workflowId, run.startedAt],
  );
  const own = others.find((other) => other.runId === run.runId);
  if (own !== undefined) {
    if (own.state === 'running') return own;
    throw closed(run, `it was closed as ${own.state}`);
  }
  const newer = others.find((other) => other.newer);
  if (newer !== undefined) throw closed(run, `run ${newer.runId}, which started later`);
  for (const other of others) await closeReplaced(query, other.runId, run);
  return null;
}

async function closeReplaced(query: Query, runId: string, by: NewRun): Promise<void> {
  const failure = {
    task: '',
    type: 'RunReplaced',
    message: `Run ${by.runId} of the same interval began while this one was still open: its execution had ended without saying so.`,
    retryable: true,
  };
  await close(query, runId, 'failed', by.startedAt, failure);
  await insertEvents(query, [
    {
      key: `run:${runId}:replaced`,
      kind: 'run_replaced',
      at: by.startedAt,
      payload: { runId, by: by.runId },
    },
  ]);
}

async function close(
  query: Query,
  runId: string,
  outcome: string,
  endedAt: string,
  failure: RunRecord['failure'],
): Promise<RunOutcome | null> {
  const rows = await query<{ state: RunOutcome }>(
    `with ended as (
       update ingot.runs set state = $2, queued = false, held = false, ended_at = $3, failure = $4 where run_id = $1 and state = 'running' returning state
     ), released as (delete from ingot.leases where run_id = $1), left_pools as (delete from ingot.pool_leases where run_id = $1)
     , forgotten as (delete from ingot.parked_progress where run_id = $1)
     select state from ended union all
     select state from ingot.runs where run_id = $1 and not exists (select from ended)`,
    [runId, outcome, endedAt, failure === null ? null : jsonText(failure)],
  );
  return rows[0]?.state ?? null;
}

async function beginRun(query: Query, run: NewRun, isPlanKnown: boolean): Promise<string> {
  await takeLocks(query, [{ name: `workflow:${run.workflowId}`, mode: 'exclusive' }]);
  const known = await makeWay(query, run);
  if (known !== null) return known.planHash;
  if (!isPlanKnown)
    await query(
      'insert into ingot.plans (hash, dag_id, plan) values ($1, $2, $3) on conflict (hash) do nothing',
      [run.planHash, run.plan.dagId, canonicalJson(run.plan as unknown as Json)],
    );
  await query(
    `insert into ingot.runs (run_id, workflow_id, dag_id, type, state, logical_date, interval_start, interval_end, params,
                             plan_hash, build, started_at, queued, max_active_runs)
     values ($1, $2, $3, $4, 'running', $5, $6, $7, $8, $9, $10, $11, $4 <> 'backfill', $12)`,
    [
      run.runId,
      run.workflowId,
      run.dagId,
      run.type,
      run.logicalDate,
      run.intervalStart,
      run.intervalEnd,
      jsonText(run.params),
      run.planHash,
      run.build,
      run.startedAt,
      run.plan.maxActiveRuns,
    ],
  );
  return run.planHash;
}

const ofRuns: Readonly<Record<'dagId' | 'state' | 'held' | 'workflowId' | 'queued', string>> = {
  dagId: 'dag_id',
  state: 'state',
  held: 'held',
  workflowId: 'workflow_id',
  queued: 'queued',
};

function listRuns(query: Query, filter: RunFilter): Promise<RunRecord[]> {
  const values: unknown[] = [filter.limit ?? 50];
  const wanted = Object.entries(ofRuns).flatMap(([field, column]) => {
    const value = filter[field as keyof typeof ofRuns];
    return value === undefined ? [] : [`${column} = $${values.push(value)}`];
  });
  const where = wanted.length === 0 ? '' : `where ${wanted.join(' and ')}`;
  return query<RunRecord>(
    `select ${runColumns} from ingot.runs ${where} order by started_at desc, run_id limit $1`,
    values,
  );
}

export function postgresRunLog(db: Database): RunLog {
  /** Hashes of plans that the ledger has, none of which is ever deleted. */
  const plans = new Set<string>();
  return {
    beginRun: async (run) => {
      const { planHash } = run;
      try {
        const recorded = await db.transaction((query) => beginRun(query, run, plans.has(planHash)));
        plans.add(recorded);
        return recorded;
      } catch (error) {
        // As when the database was restored to before: the next try sends it.
        plans.delete(planHash);
        throw error;
      }
    },
    recordAttempts: (runId, attempts, events = []) =>
      db.transaction(async (query) => {
        await recordAttempts(query, runId, attempts);
        await insertEvents(query, events);
      }),
    endRun: async (runId, outcome, endedAt, failure) => {
      const known = await close(db.query, runId, outcome, endedAt, failure);
      if (known !== null) return known;
      throw new TerminalError({
        place: `run ${runId}`,
        expected: 'a run that was begun',
        found: 'none of this id in the ledger',
        remedy: 'Call beginRun first, and with the same ledger.',
      });
    },
    holdRun: async (runId, held) => {
      await db.query(
        `with run as (update ingot.runs set held = $2 where run_id = $1 and state = 'running' returning run_id)
         delete from ingot.leases where $2 and run_id = (select run_id from run)`,
        [runId, held],
      );
    },
    run: async (runId) =>
      (await db.query<RunRecord>(`select ${runColumns} from ingot.runs where run_id = $1`, [runId]))[0] ??
      null,
    runs: (filter) => listRuns(db.query, filter),
    attempts: (runId) => readAttempts(db.query, runId),
    events: (filter) => listEvents(db.query, filter),
    plan: async (hash) =>
      (await db.query<{ plan: Plan }>('select plan from ingot.plans where hash = $1', [hash]))[0]?.plan ??
      null,
    parkProgress: async ({ runId, revision, part }, content) => {
      await db.query(
        `with forgotten as (delete from ingot.parked_progress where run_id = $1 and revision < $2 - 1)
         insert into ingot.parked_progress (run_id, revision, part, content) values ($1, $2, $3, $4)
         on conflict (run_id, revision, part) do update set content = excluded.content`,
        [runId, revision, part, content],
      );
    },
    parkedProgress: async ({ runId, revision, part }) =>
      (
        await db.query<{ content: string }>(
          'select content from ingot.parked_progress where run_id = $1 and revision = $2 and part = $3',
          [runId, revision, part],
        )
      )[0]?.content ?? null,
  };
}
