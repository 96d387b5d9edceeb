import type { RunState } from '../../dag/plan.ts';
import { TerminalError } from '../../ports/errors.ts';
import type {
  BackfillIntervalRecord,
  BackfillLog,
  BackfillRecord,
  NewBackfill,
} from '../../ports/backfill.ts';
import type { Database, Query } from './database.ts';
import { jsonText } from './json-text.ts';

const columns = `b.backfill_id as "backfillId", b.workflow_id as "workflowId", b.dag_id as "dagId", b.state,
  b.first_start as "from", b.last_start as "to", b.backwards, b.reprocess, b.max_active_runs as "maxActiveRuns", b.params,
  b.created_at as "createdAt", b.ended_at as "endedAt", b.total, c.*`;

const counted = `cross join lateral (
    select count(*) filter (where state = 'skipped') as skipped, count(*) filter (where state = 'running') as running,
           count(*) filter (where state = 'success') as success, count(*) filter (where state = 'failed') as failed,
           count(*) filter (where state = 'cancelled') as cancelled
      from ingot.backfill_intervals i where i.backfill_id = b.backfill_id) c`;

const states = ['skipped', 'running', 'success', 'failed', 'cancelled'] as const;
type Row = Omit<BackfillRecord, 'counts'> & Record<(typeof states)[number] | 'total', number>;

function recordOf(row: Row): BackfillRecord {
  const { skipped, running, success, failed, cancelled, total, ...record } = row;
  const remaining = total - states.reduce((sum, state) => sum + row[state], 0);
  return { ...record, counts: { skipped, running, success, failed, cancelled, remaining, total } };
}

async function begin(query: Query, backfill: NewBackfill): Promise<void> {
  const { backfillId, workflowId, request, total, createdAt } = backfill;
  const known = await query('select 1 from ingot.backfills where backfill_id = $1', [backfillId]);
  if (known.length > 0) return;
  const open = await query<{ backfillId: string }>(
    `select backfill_id as "backfillId" from ingot.backfills where workflow_id = $1 and ended_at is null for update`,
    [workflowId],
  );
  for (const each of open)
    await end(query, each.backfillId, 'failed', createdAt, {
      state: 'failed',
      reason: 'the backfill had ended without saying so',
    });
  await query(
    `insert into ingot.backfills (backfill_id, workflow_id, dag_id, state, first_start, last_start, backwards, reprocess,
                                  max_active_runs, params, total, created_at)
     values ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9, $10, $11) on conflict (backfill_id) do nothing`,
    [
      backfillId,
      workflowId,
      request.dagId,
      request.from,
      request.to,
      request.backwards,
      request.reprocess,
      request.maxActiveRuns,
      jsonText(request.params),
      total,
      createdAt,
    ],
  );
}

type Told = Parameters<BackfillLog['recordBackfill']>[1];

async function record(query: Query, backfillId: string, { records, paused, revision }: Told): Promise<void> {
  await query(
    `update ingot.backfills set state = $2, revision = $3 where backfill_id = $1 and revision < $3 and ended_at is null`,
    [backfillId, paused ? 'paused' : 'running', revision],
  );
  if (records.length === 0) return;
  await query(
    `insert into ingot.backfill_intervals as i (backfill_id, interval_start, interval_end, state, reason, run_id, started_at, ended_at)
     select $1, "start", "end", state, reason, "runId", to_timestamp("startedAt" / 1000), to_timestamp("endedAt" / 1000)
       from jsonb_to_recordset($2) as e ("start" timestamptz, "end" timestamptz, state text, reason text, "runId" text,
                                          "startedAt" double precision, "endedAt" double precision)
      order by "start"
     on conflict (backfill_id, interval_start) do update
       set state = excluded.state, reason = excluded.reason, run_id = coalesce(excluded.run_id, i.run_id),
           started_at = excluded.started_at, ended_at = excluded.ended_at
     where i.state = 'running'`,
    [backfillId, jsonText(records)],
  );
}

async function end(
  query: Query,
  backfillId: string,
  outcome: string,
  endedAt: string,
  leftOver: Parameters<BackfillLog['endBackfill']>[3],
): Promise<boolean> {
  const ended = await query(
    `update ingot.backfills set state = $2, ended_at = $3 where backfill_id = $1 and ended_at is null returning 1`,
    [backfillId, outcome, endedAt],
  );
  if (ended.length > 0 && leftOver !== undefined)
    await query(
      `update ingot.backfill_intervals set state = $2, reason = $3, ended_at = $4 where backfill_id = $1 and state = 'running'`,
      [backfillId, leftOver.state, leftOver.reason, endedAt],
    );
  if (ended.length > 0) return true;
  return (await query('select 1 from ingot.backfills where backfill_id = $1', [backfillId])).length > 0;
}

async function list(
  query: Query,
  filter: Parameters<BackfillLog['backfills']>[0],
): Promise<BackfillRecord[]> {
  const rows = await query<Row>(
    `select ${columns} from ingot.backfills b ${counted}
      where ($1::text is null or b.dag_id = $1) and ($2::text is null or b.workflow_id = $2)
        and ($3::boolean is null or (b.ended_at is null) = $3)
      order by b.created_at desc, b.backfill_id limit $4`,
    [filter.dagId ?? null, filter.workflowId ?? null, filter.open ?? null, filter.limit ?? 50],
  );
  return rows.map(recordOf);
}

export function postgresBackfillLog(db: Database): BackfillLog {
  return {
    beginBackfill: (backfill) => db.transaction((query) => begin(query, backfill)),
    recordBackfill: (backfillId, told) => db.transaction((query) => record(query, backfillId, told)),
    endBackfill: async (backfillId, outcome, endedAt, leftOver) => {
      if (await db.transaction((query) => end(query, backfillId, outcome, endedAt, leftOver))) return;
      throw new TerminalError({
        place: `backfill ${backfillId}`,
        expected: 'a backfill that was begun',
        found: 'none of this id in the ledger',
        remedy: 'Call beginBackfill first, and with the same ledger.',
      });
    },
    backfill: async (backfillId) => {
      const rows = await db.query<Row>(
        `select ${columns} from ingot.backfills b ${counted} where b.backfill_id = $1`,
        [backfillId],
      );
      return rows[0] === undefined ? null : recordOf(rows[0]);
    },
    backfills: (filter) => list(db.query, filter),
    backfillIntervals: (backfillId, { states: wanted, limit, latest = false } = {}) =>
      db.query<BackfillIntervalRecord>(
        `select interval_start as "start", interval_end as "end", state, reason, run_id as "runId", started_at as "startedAt",
                ended_at as "endedAt"
           from ingot.backfill_intervals
          where backfill_id = $1 and ($2::text[] is null or state = any($2))
          order by ${latest ? 'ended_at desc nulls last, interval_start desc' : 'interval_start'} limit $3`,
        [backfillId, wanted ?? null, limit ?? null],
      ),
    latestRunStates: async (workflowIds) => {
      const rows = await db.query<{ workflowId: string; state: RunState }>(
        `select distinct on (workflow_id) workflow_id as "workflowId", state from ingot.runs
          where workflow_id = any($1) order by workflow_id, started_at desc, run_id`,
        [workflowIds],
      );
      return new Map(rows.map(({ workflowId, state }) => [workflowId, state]));
    },
  };
}
