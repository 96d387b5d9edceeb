import type { AlertRule } from '../dag/alerts.ts';
import type { Json, JsonObject } from '../dag/json.ts';
import type { Plan, RunOutcome, RunState, TaskKindName, TaskState } from '../dag/plan.ts';
import type { Failure, InstanceKey, OperatorChange, RunFacts, WaitReason } from '../dag/reducer.ts';
import type { EarlierRun } from '../dag/resume.ts';
import type { ExternalJob } from './jobs.ts';
import type { AttemptRecord, LedgerEvent, Manifest, ParkedPart, RunRecord, RunType } from './ledger.ts';
import type { Admission } from './schedule-log.ts';

/** What a run is started with: the workflow's one argument. */
export interface RunRequest {
  readonly type: RunType;
  /** `[start, end)`, RFC 3339 UTC instants. */
  readonly interval: { readonly start: string; readonly end: string };
  /** As given; the DAG's defaults are filled in when the run begins. */
  readonly params: JsonObject;
  /** Begin with this plan only, and wait for a worker that has it; left out, the plan of whichever worker begins the run. */
  readonly planHash?: string;
  readonly skipUnchanged?: true;
  /** Number of the event run: the ledger knows the events it was given. */
  readonly events?: number;
  /** Carry on from a closed run of the interval, with its plan and params, after this change. */
  readonly resume?: ResumeRequest;
  /** When the run continues as new, where that is to be other than usual. */
  readonly continueAfter?: Partial<ContinueAfter>;
}

export interface ResumeRequest {
  readonly runId: string;
  readonly change: OperatorChange;
}

/**
 * From `events` or `bytes` of history on the run begins nothing more, and continues as new when nothing runs. If that takes
 * longer than `patienceMs`, it goes on until it has grown by as much again; four times over it waits however long it takes.
 */
export interface ContinueAfter {
  readonly events: number;
  readonly bytes: number;
  readonly patienceMs: number;
}

/** What an execution hands the one that continues its run: the workflow's second argument. */
export interface CarriedRun {
  readonly planHash: string;
  /** Executions before this one. */
  readonly revision: number;
  /** The packed progress, or in how many parts it is parked under the revision. */
  readonly progress: { readonly text: string } | { readonly parts: number };
  /** Changes and holds told to the ledger so far: the next one's number follows. */
  readonly told: number;
  readonly leases: readonly CarriedLease[];
  readonly alerts: CarriedAlerts;
}

/** Slots of a pool that the run holds, or its place in their queue. */
export interface CarriedLease {
  readonly leaseId: string;
  readonly pool: string;
  readonly task: InstanceKey;
  readonly slots: number;
  readonly priority: number;
  readonly held: boolean;
}

/** What has been told of the run, and what its deadlines count from (ms since the epoch). */
export interface CarriedAlerts {
  readonly queuedAt: number;
  readonly startedAt: number;
  /** Names of the deadlines that have passed. */
  readonly passed: readonly string[];
  readonly taskAlerts: number;
  readonly failures: number;
  readonly isFailureTold: boolean;
}

export interface BeginRunRequest {
  readonly dagId: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly startedAt: string;
  readonly request: RunRequest;
}

/** `known: false` when the worker that was asked has no such DAG, or another plan of it than asked for; another worker may. */
export type BegunRun =
  | { readonly known: false }
  | {
      readonly known: true;
      /** Null when it is too long for one message: to be read in parts. */
      readonly plan: Plan | null;
      readonly planHash: string;
      readonly facts: RunFacts;
      /** Absent in the histories of runs that began before there were turns: they have theirs. */
      readonly admission?: Admission;
      /** An earlier run too long for one message is parked in as many parts as the progress of revision 0. */
      readonly resumed?: {
        readonly earlier: EarlierRun | { readonly parts: number };
        readonly change: OperatorChange;
      };
    };

/** One try at one task instance: the argument of the activity `<dag>.<task>`. */
export interface AttemptRequest {
  readonly dagId: string;
  readonly taskId: string;
  readonly mapIndex: number | null;
  readonly attempt: number;
  readonly lease: boolean;
  readonly input: Json;
  readonly workflowId: string;
  readonly facts: RunFacts;
  /** What is left of the attempt's time. */
  readonly timeoutMs: number;
  /** How often the attempt has begun again because a job it waited for had ended; left out at first. */
  readonly resumed?: number;
}

/** What an attempt would like to publish: inline, or under a key of the object store when it is large. */
export interface StagedManifest {
  /** For people: `payments.curated (3 partitions)`. */
  readonly label: string;
  readonly content: { readonly manifest: Manifest } | { readonly key: string };
}

/** When and where an attempt ran, by the clock of its worker. */
export interface Whereabouts {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly worker: string;
}

export interface AttemptReply {
  readonly output: Json;
  readonly staged: StagedManifest | null;
  readonly where: Whereabouts;
  /** The attempt is not over: it begins again when this job has ended. `output` and `staged` are null. */
  readonly awaiting?: ExternalJob;
}

/** First detail of every failure that leaves the boundary. */
export interface FailureDetails {
  readonly retryable: boolean;
  readonly where: Whereabouts | null;
  /** Of a run that is refused: who is told. */
  readonly alert?: AlertRule;
}

/** The argument of the activity `<dag>.<task>:publish`. */
export interface PublishStep {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number | null;
  readonly attempt: number;
  readonly staged: StagedManifest;
}

/** DAGs that wait for what has just happened; absent where none does. */
export interface Followed {
  readonly wake: readonly string[];
}

export interface RecordRequest {
  readonly runId: string;
  readonly attempts: readonly AttemptRecord[];
  readonly events: readonly LedgerEvent[];
  /** Whether the run is held by now; left out when that did not change. */
  readonly held?: boolean;
}

export interface EndRunRequest extends RecordRequest {
  readonly outcome: RunOutcome;
  readonly endedAt: string;
  readonly failure: RunRecord['failure'];
  /** Ask for the runs that wait for this one's end. */
  readonly dependsOnPast?: true;
}

/** Absent in the histories of runs that began before there were turns. */
export interface EndedRun extends Partial<Followed> {
  /** As the ledger has it: another one than asked for when the run was closed before, as by a step whose answer was lost. */
  readonly outcome: RunOutcome;
  /** Workflow id of the run of the same DAG that gets its turn next, or null. */
  readonly nextQueued: string | null;
  /** Workflow ids of the runs that may wait for this one's end; absent unless asked for. */
  readonly followers?: readonly string[];
}

export interface PlanPart {
  /** Of the packed plan. */
  readonly text: string;
  readonly parts: number;
}

/** The interpreter's own activities, by their type. Each may be repeated. */
export type RunSteps = {
  readonly 'ingot.beginRun': (request: BeginRunRequest) => Promise<BegunRun>;
  readonly 'ingot.record': (request: RecordRequest) => Promise<Followed | void>;
  readonly 'ingot.readPlan': (of: { readonly hash: string; readonly part: number }) => Promise<PlanPart>;
  readonly 'ingot.parkProgress': (part: ParkedPart & { readonly text: string }) => Promise<void>;
  readonly 'ingot.readProgress': (part: ParkedPart) => Promise<string>;
  readonly 'ingot.endRun': (request: EndRunRequest) => Promise<EndedRun>;
};

export interface TaskView {
  readonly key: InstanceKey;
  readonly taskId: string;
  readonly kind: TaskKindName;
  readonly state: TaskState;
  readonly attempt: number;
  readonly waitingFor: WaitReason | null;
  /** Its message shortened. */
  readonly failure: Failure | null;
  readonly scheduledAt: string | null;
  readonly endedAt: string | null;
  /** What its attempt waits for, away from any worker. */
  readonly job?: ExternalJob;
}

/** The answer of the query `progress`. `planHash` is null, and `tasks` empty, until a worker that knows the DAG has begun the run. */
export interface RunView {
  readonly dagId: string;
  readonly runId: string;
  readonly planHash: string | null;
  readonly state: RunState;
  readonly waitingFor: 'a worker that knows the DAG' | 'its turn under maxActiveRuns' | null;
  readonly cancelRequested: boolean;
  /** It would have failed, and waits for an operator. */
  readonly held?: true;
  readonly facts: RunFacts | null;
  /** At most a thousand: those that need attention first. */
  readonly tasks: readonly TaskView[];
  /** Of all task instances, when there are more than `tasks` holds. */
  readonly counts?: Readonly<Partial<Record<TaskState, number>>>;
}

/** What a successful run's workflow returns. */
export interface RunSummary {
  readonly runId: string;
  readonly planHash: string;
  readonly tasks: Readonly<Partial<Record<TaskState, number>>>;
}
