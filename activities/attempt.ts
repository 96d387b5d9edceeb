import { CancelledFailure, Context } from '@temporalio/activity';
import type { Manifest } from '../ports/ledger.ts';
import type { AttemptReply, AttemptRequest, Whereabouts } from '../ports/run-steps.ts';
import type { ActivityParts, RunnableDag } from './boundary.ts';
import { createTaskContext } from './create-task-context.ts';
import { businessFailure, infrastructureFailure } from './failures.ts';
import { failLate, isForsaken, replyLate } from './late-reply.ts';
import { watchLedger } from './ledger-outage.ts';
import { checkedOutput } from './output.ts';
import { openPulse } from './pulse.ts';
import { stageManifest } from './staging.ts';
import { openStop, type Stop } from './stop.ts';

type Body = RunnableDag['bodies'] extends ReadonlyMap<string, infer Each> ? Each : never;

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
      );
    case 'cancelled':
      return new CancelledFailure(`${place(request)} was cancelled`);
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
  const ended = new AbortController();
  const context = createTaskContext({
    request,
    activity,
    ports: {
      ...parts.ports,
      ledger: watched.ledger,
      warehouse: (connection) => parts.ports.warehouse(connection),
    },
    build: parts.build,
    signal: stop.signal,
    ended: ended.signal,
    beat: pulse.beat,
    stage: (manifest) => staged.push(manifest),
  });
  try {
    const result = await stop.orEnd(async () => body.run(request.input, context));
    const reply: AttemptReply = {
      output: checkedOutput(result, place(request)),
      staged: await stageManifest(staged, context),
      where: where(),
    };
    if (isForsaken(pulse.silentMs(), stop.forsaken)) await replyLate(activity, reply);
    return reply;
  } catch (error) {
    const failure =
      stopFailure(stop, request, where()) ?? watched.failure(error) ?? businessFailure(error, where());
    if (isForsaken(pulse.silentMs(), stop.forsaken)) await failLate(activity, failure);
    throw failure;
  } finally {
    ended.abort();
  }
}
