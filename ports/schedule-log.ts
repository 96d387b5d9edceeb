import type { Plan } from '../dag/plan.ts';

/** What is deployed of a DAG, and how far its clock has come. */
export interface DagClock {
  readonly dagId: string;
  /** Ticks start nothing. Survives deploys. */
  readonly paused: boolean;
  /** The plan whose schedule is in force; null while the DAG is not deployed. */
  readonly plan: Plan | null;
  readonly planHash: string | null;
  /** Intervals that ended at or before have been dealt with; null before the first tick of a DAG with catchup. */
  readonly tickedTo: string | null;
}

/** Whether a run may begin its first task, and if not, which runs are in its way. */
export type Admission =
  | { readonly admitted: true }
  | {
      readonly admitted: false;
      readonly maxActiveRuns: number;
      /** Workflow ids of the DAG's active runs. */
      readonly active: readonly string[];
      /** How many runs wait that began before. */
      readonly ahead: number;
    };

/** Schedules as they were deployed, pauses, and the order in which runs get their turn. Every write may be repeated. */
export interface ScheduleLog {
  /** Of all DAGs that were ever deployed or paused, by id. */
  clocks(): Promise<readonly DagClock[]>;
  clock(dagId: string): Promise<DagClock | null>;
  /** Puts the plan's schedule in force. When it was not, or was another (schedule, zone, start, end), the clock moves on to `beginsAt`. */
  deploySchedule(plan: Plan, planHash: string, beginsAt: string | null): Promise<void>;
  /** Takes the DAG's schedule out of force; pause and clock stay. */
  withdrawSchedule(dagId: string): Promise<void>;
  /** From now on ticks start nothing. Answers whether that is new. */
  pause(dagId: string): Promise<boolean>;
  /** Ends a pause, with the clock moved on to `beginsAt`. Answers whether there was one. */
  unpause(dagId: string, beginsAt: string | null): Promise<boolean>;
  /** Moves the clock on, never back. */
  moveClock(dagId: string, tickedTo: string): Promise<void>;
  /** Those of the workflow ids that some run, open or closed, has had. */
  knownWorkflows(workflowIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Gives the run its turn if fewer than its plan's `maxActiveRuns` runs of the DAG are active and none that began
   * before it still waits. Runs of a backfill neither wait nor count. Throws RunClosedError.
   */
  admitRun(runId: string): Promise<Admission>;
  /** Workflow id of the run of the same DAG that gets its turn next; null when none waits, and for a run of a backfill, which takes no turns. */
  nextQueued(runId: string): Promise<string | null>;
}
