import type { PastSeen } from '../dag/past.ts';
import type { TaskState } from '../dag/plan.ts';

/** What tasks that depend on the past are told of it. */
export interface PastLog {
  /** State of each of the tasks in a run, of its last attempt; a mapped task's as a whole. */
  taskStates(runId: string, taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskState>>;
  /** Workflow ids of the open runs of the DAG whose interval follows a run's. */
  followers(runId: string): Promise<readonly string[]>;
}

export interface PastRequest {
  readonly runId: string;
  /** Those that wait. */
  readonly taskIds: readonly string[];
}

/** The activities behind `dependsOnPast`, by their type. Each may be repeated. */
export type PastSteps = {
  readonly 'ingot.lookAtPast': (request: PastRequest) => Promise<PastSeen>;
};
