import type { TaskState } from '../../dag/plan.ts';
import type { AttemptRecord } from '../../ports/ledger.ts';
import type { Query } from './database.ts';
import { jsonText } from './json-text.ts';

/** An attempt only moves to a state of the same rank or a higher one, and never leaves the highest. */
const ranks: Readonly<Record<TaskState, number>> = {
  none: 0,
  scheduled: 1,
  running: 2,
  waiting: 2,
  up_for_retry: 3,
  success: 4,
  failed: 4,
  skipped: 4,
  upstream_failed: 4,
};
const finished = 4;

const rank = (state: string): string =>
  `(case ${state} ${Object.entries(ranks)
    .map(([name, value]) => `when '${name}' then ${value}`)
    .join(' ')} end)`;

const upsert = `
  insert into ingot.task_attempts as known
    (run_id, task_id, map_index, attempt, state, scheduled_at, started_at, ended_at, worker, failure, output)
  select $1, "taskId", "mapIndex", attempt, state, "scheduledAt", "startedAt", "endedAt", worker, failure, output
    from jsonb_to_recordset($2) as a ("taskId" text collate "C", "mapIndex" integer, attempt integer, state text,
         "scheduledAt" timestamptz, "startedAt" timestamptz, "endedAt" timestamptz, worker text, failure jsonb, output jsonb)
   order by "taskId", "mapIndex", attempt
  on conflict (run_id, task_id, map_index, attempt) do update set
    state = excluded.state,
    scheduled_at = coalesce(excluded.scheduled_at, known.scheduled_at),
    started_at = coalesce(excluded.started_at, known.started_at),
    ended_at = excluded.ended_at,
    worker = coalesce(excluded.worker, known.worker),
    failure = excluded.failure,
    output = excluded.output
  where ${rank('known.state')} <= ${rank('excluded.state')} and ${rank('known.state')} < ${finished}`;

/** One statement may touch a row once, so what a batch says of one attempt is first made one record. */
function merged(attempts: readonly AttemptRecord[]): AttemptRecord[] {
  const byKey = new Map<string, AttemptRecord>();
  for (const next of attempts) {
    const key = `${next.mapIndex} ${next.attempt} ${next.taskId}`;
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, next);
    else if (ranks[known.state] < finished && ranks[known.state] <= ranks[next.state])
      byKey.set(key, {
        ...next,
        scheduledAt: next.scheduledAt ?? known.scheduledAt,
        startedAt: next.startedAt ?? known.startedAt,
        worker: next.worker ?? known.worker,
      });
  }
  return [...byKey.values()];
}

export async function recordAttempts(
  query: Query,
  runId: string,
  attempts: readonly AttemptRecord[],
): Promise<void> {
  if (attempts.length === 0) return;
  await query(upsert, [runId, jsonText(merged(attempts))]);
}

export function readAttempts(query: Query, runId: string): Promise<AttemptRecord[]> {
  return query<AttemptRecord>(
    `select task_id as "taskId", map_index as "mapIndex", attempt, state, scheduled_at as "scheduledAt",
            started_at as "startedAt", ended_at as "endedAt", worker, failure, output
       from ingot.task_attempts where run_id = $1
      order by scheduled_at nulls last, task_id, map_index, attempt`,
    [runId],
  );
}
