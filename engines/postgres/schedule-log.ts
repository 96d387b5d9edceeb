import { canonicalJson } from '../../dag/json.ts';
import type { Json } from '../../dag/json.ts';
import type { Plan } from '../../dag/plan.ts';
import { RunClosedError } from '../../ports/errors.ts';
import type { Admission, DagClock, ScheduleLog } from '../../ports/schedule-log.ts';
import { takeLocks } from './advisory-locks.ts';
import type { Database, Query } from './database.ts';

function readClocks(query: Query, dagId: string | null): Promise<DagClock[]> {
  return query<DagClock>(
    `select s.dag_id as "dagId", s.paused, p.plan, s.plan_hash as "planHash", s.generation,
            s.ticked_generation as "tickedGeneration", s.ticked_to as "tickedTo"
       from ingot.schedules s left join ingot.plans p on p.hash = s.plan_hash
      where $1::text is null or s.dag_id = $1 order by s.dag_id`,
    [dagId],
  );
}

async function deploySchedule(query: Query, plan: Plan, planHash: string): Promise<void> {
  await query(
    'insert into ingot.plans (hash, dag_id, plan) values ($1, $2, $3) on conflict (hash) do nothing',
    [planHash, plan.dagId, canonicalJson(plan as unknown as Json)],
  );
  const [known] = await query<{ hash: string | null; plan: Plan | null }>(
    `select s.plan_hash as hash, p.plan from ingot.schedules s left join ingot.plans p on p.hash = s.plan_hash
      where s.dag_id = $1 for update of s`,
    [plan.dagId],
  );
  // Which intervals there are is all that counts: a change of the tasks leaves the clock alone.
  const changed = known?.plan == null || timetable(known.plan) !== timetable(plan);
  await query(
    `insert into ingot.schedules as known (dag_id, plan_hash) values ($1, $2)
     on conflict (dag_id) do update set plan_hash = excluded.plan_hash, generation = known.generation + $3`,
    [plan.dagId, planHash, changed ? 1 : 0],
  );
}

function timetable({ schedule, timezone, startAt, endAt }: Plan): string {
  return canonicalJson({ schedule, timezone, startAt, endAt } as unknown as Json);
}

async function setPaused(query: Query, dagId: string, paused: boolean): Promise<boolean> {
  await query('insert into ingot.schedules (dag_id) values ($1) on conflict (dag_id) do nothing', [dagId]);
  const changed = await query(
    `update ingot.schedules set paused = $2, generation = generation + 1 where dag_id = $1 and paused <> $2 returning dag_id`,
    [dagId, paused],
  );
  return changed.length > 0;
}

interface Waiter {
  readonly runId: string;
  readonly workflowId: string;
  readonly queued: boolean;
}

/** The DAG's open runs that count, in the order they began. */
function openRuns(query: Query, dagId: string): Promise<Waiter[]> {
  return query<Waiter>(
    `select run_id as "runId", workflow_id as "workflowId", queued from ingot.runs
      where dag_id = $1 and state = 'running' and type <> 'backfill' order by begun_at, run_id`,
    [dagId],
  );
}

async function admitRun(query: Query, runId: string): Promise<Admission> {
  const rows = await query<{ dagId: string; state: string; queued: boolean; maxActiveRuns: number }>(
    `select dag_id as "dagId", state, queued, max_active_runs as "maxActiveRuns" from ingot.runs where run_id = $1`,
    [runId],
  );
  const run = rows[0];
  if (run?.state !== 'running')
    throw new RunClosedError({
      place: `run ${runId}`,
      expected: 'an open run',
      found: run === undefined ? 'a run the ledger does not know' : `a run closed as ${run.state}`,
      remedy: 'Start a new run of the interval if it is still wanted.',
    });
  if (!run.queued) return { admitted: true };
  await takeLocks(query, [{ name: `turns:${run.dagId}`, mode: 'exclusive' }]);
  const open = await openRuns(query, run.dagId);
  const active = open.filter((other) => !other.queued).map((other) => other.workflowId);
  const ahead = open.filter((other) => other.queued).findIndex((other) => other.runId === runId);
  const { maxActiveRuns } = run;
  if (active.length + Math.max(ahead, 0) >= maxActiveRuns)
    return { admitted: false, maxActiveRuns, active, ahead: Math.max(ahead, 0) };
  await query('update ingot.runs set queued = false where run_id = $1', [runId]);
  return { admitted: true };
}

export function postgresScheduleLog(db: Database): ScheduleLog {
  return {
    clocks: () => readClocks(db.query, null),
    clock: async (dagId) => (await readClocks(db.query, dagId))[0] ?? null,
    deploySchedule: (plan, planHash) => db.transaction((query) => deploySchedule(query, plan, planHash)),
    withdrawSchedule: async (dagId) => {
      await db.query(
        'update ingot.schedules set plan_hash = null, generation = generation + 1 where dag_id = $1 and plan_hash is not null',
        [dagId],
      );
    },
    setPaused: (dagId, paused) => db.transaction((query) => setPaused(query, dagId, paused)),
    moveClock: async (dagId, generation, tickedTo) => {
      await db.query(
        `update ingot.schedules set ticked_generation = $2, ticked_to = greatest(ticked_to, $3::timestamptz)
          where dag_id = $1 and generation = $2`,
        [dagId, generation, tickedTo],
      );
    },
    knownWorkflows: async (workflowIds) => {
      const rows = await db.query<{ id: string }>(
        `select id from unnest($1::text[]) as asked (id)
          where exists (select from ingot.runs r where r.workflow_id = asked.id)`,
        [workflowIds],
      );
      return new Set(rows.map((row) => row.id));
    },
    admitRun: (runId) => db.transaction((query) => admitRun(query, runId)),
    nextQueued: async (runId) =>
      (
        await db.query<{ workflowId: string }>(
          `select workflow_id as "workflowId" from ingot.runs
            where state = 'running' and queued and dag_id = (select dag_id from ingot.runs where run_id = $1)
            order by begun_at, run_id limit 1`,
          [runId],
        )
      )[0]?.workflowId ?? null,
  };
}
