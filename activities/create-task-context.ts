import type { Context } from '@temporalio/activity';
import type { Manifest } from '../ports/ledger.ts';
import type { AttemptRequest } from '../ports/run-steps.ts';
import type { Logger, Ports, TaskContext } from './task-context.ts';

interface ContextParts {
  readonly request: AttemptRequest;
  readonly activity: Context;
  readonly log: Logger;
  readonly ports: Ports;
  readonly build: string;
  readonly signal: AbortSignal;
  readonly ended: AbortSignal;
  readonly beat: (note?: string) => void;
  readonly stage: (manifest: Manifest) => void;
}

export function createTaskContext({
  request,
  activity,
  log,
  ports,
  build,
  signal,
  ended,
  beat,
  stage,
}: ContextParts): TaskContext {
  const { dagId, taskId, mapIndex, attempt, lease, facts, workflowId } = request;
  const instance = mapIndex === null ? taskId : `${taskId}/${mapIndex}`;
  return {
    dagId,
    taskId,
    mapIndex,
    run: { ...facts.run, workflowId },
    interval: facts.interval,
    params: facts.params,
    triggeringEvents: async () =>
      facts.triggeringEvents === undefined
        ? []
        : ports.ledger.eventsOfRun(dagId, facts.triggeringEvents.number),
    attempt,
    lease,
    build,
    skipUnchanged: facts.skipUnchanged === true,
    log,
    signal,
    ended,
    beat,
    ports,
    // Temporal may start the same attempt again while a lost worker's one still writes: never in the same place.
    attemptPrefix: (table) =>
      `data/${table}/${facts.run.id}/${instance}/${attempt}.${activity.info.attempt}/`,
    stage,
  };
}
