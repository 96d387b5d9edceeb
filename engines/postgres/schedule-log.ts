import { canonicalJson } from '../../dag/json.ts';
import type { Json } from '../../dag/json.ts';
import type { Plan } from '../../dag/plan.ts';
import { RunClosedError } from '../../ports/errors.ts';
import type { Admission, DagClock, ScheduleLog } from '../../ports/schedule-log.ts';
import { takeLocks } from './advisory-locks.ts';
import type { Database, Query } from './database.ts';

function readClocks(query: Query, dagId: string | null): Promise<DagClock[]> {
  return query<DagClock>(
    `select s.dag_id as "dagId", s.paused, p.plan, s.plan_hash as "planHash", s.ticked_to as "tickedTo"
       from ingot.schedules s left join ingot.plans p on p.hash = s.plan_hash
      where $1::text is null or s.dag_id = $1 order by s.dag_id`,
    [dagId],
  );
}

async function deploySchedule(
  query: Query,
  plan: Plan,
  planHash: string,
  beginsAt: string | null,
): Promise<void> {
  await query(
    'insert into ingot.plans (hash, dag_id, plan) values ($1, $2, $3) on conflict (hash) do nothing',
    [planHash, plan.dagId, canonicalJson(plan as unknown as Json)],
  );
  const [known] = await query<{ plan: Plan | null }>(
    `select p.plan from ingot.schedules s left join ingot.plans p on p.hash = s.plan_hash
      where s.dag_id = $1 for update of s`,
    [plan.dagId],
  );
  // Which intervals there are is all that counts: a change of the tasks leaves the clock alone.
  const before = known?.plan ?? null;
  const changed = before === null || timetable(before) !== timetable(plan);
  // A caller whose clock is ahead must not make the DAG wait until then.
  await query(
    `insert into ingot.schedules as known (dag_id, plan_hash, ticked_to)
     values ($1, $2, case when $3::timestamptz is not null then least($3::timestamptz, clock_timestamp()) end)
     on conflict (dag_id) do update set plan_hash = excluded.plan_hash,
       ticked_to = greatest(known.ticked_to, excluded.ticked_to)`,
    [plan.dagId, planHash, changed ? beginsAt : null],
  );
}

function timetable({ schedule, timezone, startAt, endAt }: Plan): string {
  return canonicalJson({ schedule, timezone, startAt, endAt } as unknown as Json);
}

async function pause(query: Query, dagId: string): Promise<boolean> {
  const rows = await query<{ dagId: string }>(
    `insert into ingot.schedules as known (dag_id, paused) values ($1, true)
     on conflict (dag_id) do update set paused = true where not known.paused returning dag_id as "dagId"`,
    [dagId],
  );
  return rows.length > 0;
}

async function unpause(query: Query, dagId: string, beginsAt: string | null): Promise<boolean> {
  const rows = await query<{ dagId: string }>(
    `update ingot.schedules set paused = false, ticked_to = greatest(ticked_to, case when $2::timestamptz is not null then least($2::timestamptz, clock_timestamp()) end)
      where dag_id = $1 and paused returning dag_id as "dagId"`,
    [dagId, beginsAt],
  );
  return rows.length > 0;
}

interface Waiter {
  readonly runId: string;
  readonly workflowId: string;
  readonly queued: boolean;
}

/**
 * The DAG's open runs that count, in the order they began. Where runs depend on the past, those of later intervals do
 * not count for an earlier one: they may be waiting for it, and would keep its turn for ever.
 */
function openRuns(query: Query, dagId: string, upTo: string | null): Promise<Waiter[]> {
  return query<Waiter>(
    `select run_id as "runId", workflow_id as "workflowId", queued from ingot.runs
      where dag_id = $1 and state = 'running' and type <> 'backfill'
        and ($2::timestamptz is null or interval_start <= $2::timestamptz) order by begun_at, run_id`,
    [dagId, upTo],
  );
}

async function admitRun(query: Query, runId: string): Promise<Admission> {
  const rows = await query<{
    dagId: string;
    state: string;
    queued: boolean;
    maxActiveRuns: number;
    upTo: string | null;
  }>(
    `select r.dag_id as "dagId", state, queued, max_active_runs as "maxActiveRuns",
            case when p.plan->>'dependsOnPast' = 'true' then interval_start end as "upTo"
       from ingot.runs r join ingot.plans p on p.hash = r.plan_hash where run_id = $1`,
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
  const open = await openRuns(query, run.dagId, run.upTo);
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
    deploySchedule: (plan, planHash, beginsAt) =>
      db.transaction((query) => deploySchedule(query, plan, planHash, beginsAt)),
    withdrawSchedule: async (dagId) => {
      await db.query('update ingot.schedules set plan_hash = null where dag_id = $1', [dagId]);
    },
    pause: (dagId) => pause(db.query, dagId),
    unpause: (dagId, beginsAt) => unpause(db.query, dagId, beginsAt),
    moveClock: async (dagId, tickedTo) => {
      await db.query(
        `update ingot.schedules set ticked_to = greatest(ticked_to, $2::timestamptz) where dag_id = $1`,
        [dagId, tickedTo],
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
            where state = 'running' and queued and dag_id = (select dag_id from ingot.runs where run_id = $1 and type <> 'backfill')
            order by (select case when p.plan->>'dependsOnPast' = 'true' then interval_start end
                        from ingot.plans p where p.hash = plan_hash) nulls last, begun_at, run_id limit 1`,
          [runId],
        )
      )[0]?.workflowId ?? null,
  };
}
