import type { Context } from '@temporalio/activity';
import type { Manifest } from '../ports/ledger.ts';
import type { AttemptRequest } from '../ports/run-steps.ts';
import type { Ports, TaskContext } from './task-context.ts';

interface ContextParts {
  readonly request: AttemptRequest;
  readonly activity: Context;
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
  ports,
  build,
  signal,
  ended,
  beat,
  stage,
}: ContextParts): TaskContext {
  const { dagId, taskId, mapIndex, attempt, lease, facts, workflowId } = request;
  const instance = mapIndex === null ? taskId : `${taskId}/${mapIndex}`;
  const { log } = activity;
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
    log: {
      debug: (message, fields) => log.debug(message, fields),
      info: (message, fields) => log.info(message, fields),
      warn: (message, fields) => log.warn(message, fields),
      error: (message, fields) => log.error(message, fields),
    },
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
