import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { Manifest } from '../ports/ledger.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { AttemptReply, AttemptRequest, Whereabouts } from '../ports/run-steps.ts';
import type { AttemptLog } from './attempt-log.ts';
import { openAttemptLog } from './attempt-log.ts';
import type { ActivityParts, RunnableDag } from './boundary.ts';
import { createTaskContext } from './create-task-context.ts';
import { businessFailure, infrastructureFailure } from './failures.ts';
import { LazySignal } from './lazy-signal.ts';
import { failLate, isForsaken, replyLate } from './late-reply.ts';
import { watchLedger } from './ledger-outage.ts';
import { attemptLogPrefix } from './log-keys.ts';
import { checkedOutput } from './output.ts';
import { openPulse } from './pulse.ts';
import { stageManifest } from './staging.ts';
import { openStop, type Stop } from './stop.ts';
import { AttemptSuspended, askingService, busyFailure, jobServices, serviceOf } from './suspension.ts';

type Body = RunnableDag['bodies'] extends ReadonlyMap<string, infer Each> ? Each : never;

/** Made once: left to itself, every signal makes one, with a stack trace. */
const attemptIsOver = new DOMException('The attempt is over.', 'AbortError');

/** Temporal takes no zero for it. */
const atOnceMs = 1;

function place({ dagId, taskId, mapIndex, attempt }: AttemptRequest): string {
  return `${dagId}.${taskId}${mapIndex === null ? '' : `[${mapIndex}]`}, attempt ${attempt}`;
}

function stopFailure(stop: Stop, request: AttemptRequest, where: Whereabouts): Error | null {
  switch (stop.reason) {
    case null:
      return null;
    case 'timeout': {
      const error = new Error(
        `${place(request)}: expected the task to end within ${request.timeoutMs / 1000} s; found it still running. Give it a longer timeout, or less to do.`,
      );
      return businessFailure(Object.assign(error, { name: 'Timeout' }), where);
    }
    case 'shutdown':
      return infrastructureFailure(
        'WorkerShutdown',
        'The worker was stopped; the attempt starts again on the next one.',
        atOnceMs,
      );
    case 'cancelled':
      return new CancelledFailure(`${place(request)} was cancelled`);
  }
}

function openLog({ ports, worker }: ActivityParts, request: AttemptRequest, activity: Context): AttemptLog {
  const { attempt, facts } = request;
  const { activityId, attempt: tryNumber } = activity.info;
  const log = openAttemptLog({
    objects: ports.objects,
    prefix: attemptLogPrefix({ ...request, runId: facts.run.id }, attempt),
    // Temporal may start the same attempt again, and a sensor is poked many times within one.
    id: `${new Date().toISOString().replaceAll(/[-:.]/g, '')}-${activityId}.${tryNumber}`,
    worker: { log: (level, message, fields) => activity.log[level](message, fields) },
  });
  const verb = request.resumed === undefined ? 'began' : 'goes on';
  const again = tryNumber > 1 ? `, again (${tryNumber}): the worker before was lost or stopped` : '';
  log.say({
    level: 'info',
    event: 'began',
    message: `attempt ${attempt} ${verb} on worker ${worker}${again}`,
  });
  return log;
}

/** How the attempt ended, as the last line of its log. */
function sayEnd(log: AttemptLog, { attempt }: AttemptRequest, tookMs: number, failure: Error | null): void {
  const after = `after ${tookMs < 1000 ? `${tookMs} ms` : `${(tookMs / 1000).toFixed(1)} s`}`;
  if (failure === null)
    return log.say({ level: 'info', event: 'ended', message: `attempt ${attempt} succeeded ${after}` });
  if (failure instanceof CancelledFailure)
    return log.say(
      { level: 'warn', event: 'ended', message: `attempt ${attempt} was cancelled ${after}` },
      true,
    );
  const type = (failure instanceof ApplicationFailure ? failure.type : null) ?? failure.name;
  const isOver = !(failure instanceof ApplicationFailure) || failure.nonRetryable === true;
  const how = isOver ? 'failed' : 'was interrupted, and starts again,';
  log.say(
    {
      level: isOver ? 'error' : 'warn',
      event: 'ended',
      message: `attempt ${attempt} ${how} ${after}: ${type}: ${failure.message}`,
      error: { type, stack: failure.stack ?? '' },
    },
    true,
  );
}

/** Says that the attempt leaves its worker while a job runs. */
function saySuspended(log: AttemptLog, { attempt }: AttemptRequest, { label, link }: ExternalJob): void {
  const where = link === undefined ? '' : ` (${link})`;
  const message = `attempt ${attempt} waits for ${label}${where}`;
  log.say({ level: 'info', event: 'waits', message }, true);
}

/** What the body returns, or null when it waits for a job. */
async function untilSuspended(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof AttemptSuspended) return null;
    throw error;
  }
}

/** Runs one attempt of a task body and translates whatever comes out of it, once. */
export async function runAttempt(
  parts: ActivityParts,
  body: Body,
  request: AttemptRequest,
): Promise<AttemptReply> {
  const activity = Context.current();
  const startedAt = new Date().toISOString();
  const where = (): Whereabouts => ({ startedAt, endedAt: new Date().toISOString(), worker: parts.worker });
  using kept = parts.keepAlive?.(activity.info.taskToken);
  using stop = openStop(activity, request.timeoutMs, () => kept?.forsake());
  using pulse = openPulse(activity);
  const watched = watchLedger(parts.ports.ledger);
  const staged: Manifest[] = [];
  // Also of a body that caught what was to end it.
  const awaited: ExternalJob[] = [];
  const ended = new LazySignal();
  const log = openLog(parts, request, activity);
  const end = async (failure: Error | null): Promise<void> => {
    sayEnd(log, request, Date.now() - Date.parse(startedAt), failure);
    await log.close();
  };
  const context = createTaskContext({
    request,
    activity,
    log: log.logger,
    ports: {
      ...parts.ports,
      ledger: watched.ledger,
      warehouse: (connection) => parts.ports.warehouse(connection),
    },
    build: parts.build,
    signal: stop.signal,
    ended,
    beat: pulse.beat,
    stage: (manifest) => staged.push(manifest),
    awaitJob: async (job) => {
      const service = serviceOf(jobServices(parts.ports), job);
      const { state, note } = await askingService(() => service.look(job, { signal: stop.signal.signal }));
      if (state === 'ended') return log.logger.info(`${job.label} has ended`, { note });
      awaited.push(job);
      throw new AttemptSuspended(job);
    },
  });
  try {
    const result = await stop.orEnd(() => untilSuspended(async () => body.run(request.input, context)));
    const [awaiting] = awaited;
    if (awaiting !== undefined) {
      const reply = { output: null, staged: null, where: where(), awaiting };
      saySuspended(log, request, awaiting);
      await log.close();
      if (isForsaken(pulse.silentMs(), stop.forsaken)) await replyLate(activity, reply);
      return reply;
    }
    const reply: AttemptReply = {
      output: checkedOutput(result, place(request)),
      staged: await stageManifest(staged, context),
      where: where(),
    };
    await end(null);
    if (isForsaken(pulse.silentMs(), stop.forsaken)) await replyLate(activity, reply);
    return reply;
  } catch (error) {
    const failure =
      stopFailure(stop, request, where()) ??
      watched.failure(error) ??
      busyFailure(error) ??
      businessFailure(error, where());
    await end(failure);
    if (isForsaken(pulse.silentMs(), stop.forsaken)) await failLate(activity, failure);
    throw failure;
  } finally {
    ended.abort(attemptIsOver);
  }
}
