import { setTimeout as delay } from 'node:timers/promises';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { JsonObject } from '../dag/json.ts';
import type { DataInterval } from '../dag/interval.ts';
import { runWorkflowId } from '../dag/interval.ts';
import { TerminalError } from '../ports/errors.ts';
import type { RunType } from '../ports/ledger.ts';
import type { ResumeRequest, RunRequest, RunSummary, RunView } from '../ports/run-steps.ts';
import { searchAttributes } from './search-attributes.ts';

export interface NewRunRequest {
  readonly taskQueue: string;
  readonly dagId: string;
  readonly interval: Pick<DataInterval, 'start' | 'end'>;
  readonly type: RunType;
  /** As given: the worker fills in the DAG's defaults. */
  readonly params?: JsonObject;
  /** Begin with this plan only: a worker that still has an older one leaves the run to its successor. */
  readonly planHash?: string;
  readonly skipUnchanged?: boolean;
  /** Carry on from a closed run of the interval. */
  readonly resume?: ResumeRequest;
  readonly continueAfter?: RunRequest['continueAfter'];
}

/** One execution. `runId` is that of its first Temporal run, and the ledger's. */
export interface RunHandle {
  readonly workflowId: string;
  readonly runId: string;
}

export interface RunResult {
  readonly state: 'success' | 'failed' | 'cancelled';
  readonly summary: RunSummary | null;
  /** Why it did not succeed. */
  readonly message: string | null;
}

function attributes({ dagId, interval, type }: NewRunRequest): TypedSearchAttributes {
  const { IngotDag, IngotLogicalDate, IngotRunType, IngotState } = searchAttributes;
  const pair = (name: string, type_: 'KEYWORD', value: string) => ({
    key: defineSearchAttributeKey(name, type_),
    value,
  });
  return new TypedSearchAttributes([
    pair('IngotDag', IngotDag, dagId),
    pair('IngotRunType', IngotRunType, type),
    pair('IngotState', IngotState, 'running'),
    { key: defineSearchAttributeKey('IngotLogicalDate', IngotLogicalDate), value: new Date(interval.start) },
  ]);
}

function alreadyOpen(workflowId: string, { dagId, interval }: NewRunRequest, cause: unknown): TerminalError {
  return new TerminalError(
    {
      place: `${dagId}, interval ${interval.start} to ${interval.end}`,
      expected: 'no open run of this interval',
      found: `${workflowId} is open`,
      remedy: 'Wait until it has ended, or cancel it.',
    },
    { cause },
  );
}

/** Starts a run of an interval. Throws TerminalError while another run of it is open. */
export async function startRun(client: Client, run: NewRunRequest): Promise<RunHandle> {
  const { dagId, interval, type } = run;
  const workflowId = runWorkflowId(dagId, interval);
  const request: RunRequest = {
    type,
    interval: { start: interval.start, end: interval.end },
    params: run.params ?? {},
    ...(run.planHash === undefined ? {} : { planHash: run.planHash }),
    ...(run.skipUnchanged === true ? { skipUnchanged: true as const } : {}),
    ...(run.resume === undefined ? {} : { resume: run.resume }),
    ...(run.continueAfter === undefined ? {} : { continueAfter: run.continueAfter }),
  };
  try {
    const handle = await client.workflow.start(dagId, {
      workflowId,
      taskQueue: run.taskQueue,
      args: [request],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      typedSearchAttributes: attributes(run),
      staticSummary: `${dagId} ${interval.start.slice(0, 10)} (${type})`,
      staticDetails: `Data interval \`${interval.start}\` to \`${interval.end}\``,
    });
    return { workflowId, runId: handle.firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw alreadyOpen(workflowId, run, error);
    throw error;
  }
}

/** The newest execution of the run: a long one continues as new. */
export function handleOf(client: Client, { workflowId, runId }: RunHandle) {
  return client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: runId });
}

/** What Temporal says of the run's newest execution; of its first where that belongs to another run. Null once it has forgotten it. */
export async function describeRun(client: Client, { workflowId, runId }: RunHandle) {
  try {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    if (raw.workflowExecutionInfo?.firstRunId === runId) return raw;
    return (await client.workflow.getHandle(workflowId, runId).describe()).raw;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Waits until the run has ended. */
export async function runResult(client: Client, run: RunHandle): Promise<RunResult> {
  try {
    const summary = (await client.workflow.getHandle(run.workflowId, run.runId).result()) as RunSummary;
    return { state: 'success', summary, message: null };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof CancelledFailure)
      return { state: 'cancelled', summary: null, message: cause.message };
    const message = cause instanceof ApplicationFailure ? cause.message : (cause?.message ?? error.message);
    return { state: 'failed', summary: null, message };
  }
}

/** What the run looks like, or null while no worker answers. */
export async function progressOf(client: Client, run: RunHandle): Promise<RunView | null> {
  try {
    // The newest execution of the id is asked first: a long run continues as new, and only its last one knows all.
    const newest = await client.workflow.getHandle(run.workflowId).query<RunView>('progress');
    if (newest.runId === run.runId) return newest;
    return await client.workflow.getHandle(run.workflowId, run.runId).query<RunView>('progress');
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw error;
    // No worker to ask, or it is busy starting: the next look may find one.
    return null;
  }
}

/** What the run looks like, again and again until it has ended; the last one is of its end. */
export async function* watchRun(
  client: Client,
  run: RunHandle,
  options: { readonly everyMs?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<RunView, void> {
  const stop = new AbortController();
  const ended = runResult(client, run).finally(() => stop.abort());
  ended.catch(() => undefined);
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  while (!signal.aborted) {
    const view = await progressOf(client, run);
    if (view !== null) yield view;
    await delay(options.everyMs ?? 300, undefined, { signal }).catch(() => undefined);
  }
  options.signal?.throwIfAborted();
  const last = await progressOf(client, run);
  if (last !== null) yield last;
}

/** Asks the run to end: its running attempts are cancelled, nothing of it publishes any more. */
export async function cancelRun(client: Client, run: RunHandle): Promise<void> {
  await handleOf(client, run).cancel();
}
