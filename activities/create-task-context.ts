import type { Context } from '@temporalio/activity';
import type { Manifest } from '../ports/ledger.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { AttemptRequest } from '../ports/run-steps.ts';
import type { LazySignal } from './lazy-signal.ts';
import { openMemory } from './memory.ts';
import type { Logger, Ports, TaskContext } from './task-context.ts';

interface ContextParts {
  readonly request: AttemptRequest;
  readonly activity: Context;
  readonly log: Logger;
  readonly ports: Ports;
  readonly build: string;
  readonly signal: LazySignal;
  readonly ended: LazySignal;
  readonly beat: (note?: string) => void;
  readonly stage: (manifest: Manifest) => void;
  readonly awaitJob: (job: ExternalJob) => Promise<void>;
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
  awaitJob,
}: ContextParts): TaskContext {
  const { dagId, taskId, mapIndex, attempt, lease, facts, workflowId, timeoutMs, resumed } = request;
  const instance = mapIndex === null ? taskId : `${taskId}/${mapIndex}`;
  const memory = openMemory(ports.objects, {
    dagId,
    taskId,
    mapIndex,
    attempt,
    run: facts.run,
  });
  // Temporal may start the same attempt again while a lost worker's one still writes: never in the same place.
  const pass = [attempt, ...(resumed === undefined ? [] : [resumed]), activity.info.attempt].join('.');
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
    get signal() {
      return signal.signal;
    },
    get ended() {
      return ended.signal;
    },
    beat,
    ports,
    timeoutMs,
    ...memory,
    awaitJob,
    attemptPrefix: (table) => `data/${table}/${facts.run.id}/${instance}/${pass}/`,
    stage,
  };
}
