import type { TaskState } from '../../dag/plan.ts';
import type { PastLog } from '../../ports/past.ts';
import type { Database } from './database.ts';

export function postgresPastLog(db: Database): PastLog {
  return {
    taskStates: async (runId, taskIds) => {
      const rows = await db.query<{ taskId: string; state: TaskState }>(
        `select distinct on (task_id) task_id as "taskId", state from ingot.task_attempts
          where run_id = $1 and task_id = any($2) and map_index = -1 order by task_id, attempt desc`,
        [runId, taskIds],
      );
      return new Map(rows.map(({ taskId, state }) => [taskId, state]));
    },
    followers: async (runId) => {
      const rows = await db.query<{ workflowId: string }>(
        `select follower.workflow_id as "workflowId" from ingot.runs r
           join ingot.runs follower on follower.dag_id = r.dag_id and follower.interval_start = r.interval_end
            and follower.state = 'running'
          where r.run_id = $1`,
        [runId],
      );
      return rows.map(({ workflowId }) => workflowId);
    },
  };
}
