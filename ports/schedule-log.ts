import type { Plan } from '../dag/plan.ts';

/** What is deployed of a DAG, and how far its clock has come. */
export interface DagClock {
  readonly dagId: string;
  /** Ticks start nothing. Survives deploys. */
  readonly paused: boolean;
  /** The plan whose schedule is in force; null while the DAG is not deployed. */
  readonly plan: Plan | null;
  readonly planHash: string | null;
  /** Counts pauses and changes of the schedule. */
  readonly generation: number;
  /** The generation the last tick saw; null before the first. */
  readonly tickedGeneration: number | null;
  /** Intervals that ended at or before have been dealt with. */
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
  /** Puts the plan's schedule in force. A schedule, zone, start or end other than before begins a new generation. */
  deploySchedule(plan: Plan, planHash: string): Promise<void>;
  /** Takes the DAG's schedule out of force; pause and clock stay. */
  withdrawSchedule(dagId: string): Promise<void>;
  /** Answers whether it was otherwise before. A change begins a new generation. */
  setPaused(dagId: string, paused: boolean): Promise<boolean>;
  /** Moves the clock on, never back; nothing happens when the generation is no longer the one the tick saw. */
  moveClock(dagId: string, generation: number, tickedTo: string): Promise<void>;
  /** Those of the workflow ids that some run, open or closed, has had. */
  knownWorkflows(workflowIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Gives the run its turn if fewer than its plan's `maxActiveRuns` runs of the DAG are active and none that began
   * before it still waits. Runs of a backfill neither wait nor count. Throws RunClosedError.
   */
  admitRun(runId: string): Promise<Admission>;
  /** Workflow id of the run of the same DAG that gets its turn next, or null. */
  nextQueued(runId: string): Promise<string | null>;
}
