import { ApplicationFailure, Context } from '@temporalio/activity';
import type { CompiledDag } from '../dag/compile.ts';
import type { JsonObject } from '../dag/json.ts';
import type { AlertChannels } from '../ports/alert-steps.ts';
import type { AttemptReply, AttemptRequest, PublishStep } from '../ports/run-steps.ts';
import { createAlertSteps, defaultAlertRetry } from './alert-steps.ts';
import { createAssetSteps } from './asset-steps.ts';
import { runAttempt } from './attempt.ts';
import { createBackfillSteps } from './backfill-steps.ts';
import { createJobSteps } from './job-steps.ts';
import { createPastSteps } from './past-steps.ts';
import { createPoolSteps } from './pool-steps.ts';
import { createRunSteps } from './run-steps.ts';
import { createScheduleSteps } from './schedule-steps.ts';
import { jobServices } from './suspension.ts';
import type { Ports, TaskContext } from './task-context.ts';

/** A compiled DAG with the code of its tasks: what a worker must have to run it. */
export type RunnableDag = CompiledDag<TaskContext>;

export interface ActivityParts {
  /** By DAG id. */
  readonly definitions: ReadonlyMap<string, RunnableDag>;
  readonly ports: Ports;
  /** Which code this worker runs; kept with every run and publication. */
  readonly build: string;
  /** Which worker this is, for people. */
  readonly worker: string;
  /** How long, and how often, an alert is tried to deliver; for a day unless told. */
  readonly alertRetry?: AlertChannels['retry'];
  /** Beats for an attempt while its body keeps this thread busy, until disposed of. */
  readonly keepAlive?: (taskToken: Uint8Array) => KeptAlive;
}

/** An attempt whose signs of life do not depend on this thread. */
export interface KeptAlive extends Disposable {
  /** The SDK has given the attempt up and sends nothing for it any more, not even when this thread has time again. */
  forsake(): void;
}

type Activity = (request: never) => Promise<unknown>;

/** Says that this worker cannot run a task, so that the run waits for one that can. */
function unknownTask(type: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'TaskUnknown',
    message: `No task ${type} is known to this worker. Deploy a worker that has it; the run waits and goes on by itself.`,
    nonRetryable: true,
    details: [{ type }] satisfies JsonObject[],
  });
}

const publishSuffix = ':publish';

/**
 * All activities of a worker: the interpreter's own, one `<dag>.<task>` per task with a `:publish` beside it, and `default`,
 * which answers for tasks this worker does not know.
 */
export function createActivities(parts: ActivityParts): Record<string, Activity> {
  const { ledger, objects, catalog, metrics } = parts.ports;
  const { publish, ...steps } = createRunSteps({
    ...parts,
    ledger,
    objects,
    ...(catalog === undefined ? {} : { catalog }),
    ...(metrics === undefined ? {} : { metrics }),
  });
  const activities: Record<string, Activity> = {
    ...steps,
    ...createBackfillSteps(ledger),
    ...createScheduleSteps(ledger),
    ...createPoolSteps(ledger),
    ...createPastSteps(ledger),
    ...createJobSteps(jobServices(parts.ports)),
    ...createAlertSteps({
      ledger,
      notifier: () => parts.ports.notifier,
      retry: parts.alertRetry ?? defaultAlertRetry,
    }),
    ...createAssetSteps(ledger),
  };
  for (const [dagId, dag] of parts.definitions)
    for (const [taskId, body] of dag.bodies)
      activities[`${dagId}.${taskId}`] = (request: AttemptRequest): Promise<AttemptReply> =>
        runAttempt(parts, body, request);
  // Publishing needs no code of the task's, so any worker may do it.
  activities['default'] = (request: PublishStep) => {
    const { activityType } = Context.current().info;
    if (activityType.endsWith(publishSuffix)) return publish(request);
    return Promise.reject(unknownTask(activityType));
  };
  return activities;
}
