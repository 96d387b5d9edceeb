import { isDeepStrictEqual } from 'node:util';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { backfillWorkflowId } from '../dag/backfill.ts';
import { TerminalError } from '../ports/errors.ts';
import type { BackfillInput, BackfillRequest } from '../ports/backfill.ts';
import { searchAttributes } from './search-attributes.ts';

/** Wire format: the name under which the workflow bundle exports it. */
const workflowType = 'ingot.backfill';

/** About ten events of history each: far from any limit, and a pause between two executions costs little. */
export const runsPerExecution = 500;

export interface NewBackfillRequest extends Omit<BackfillRequest, 'runsPerExecution'> {
  readonly taskQueue: string;
  readonly runsPerExecution?: number;
}

/** `backfillId` is the id of the first execution, and the ledger's. */
export interface BackfillHandle {
  readonly workflowId: string;
  readonly backfillId: string;
}

function attributes({ dagId }: BackfillRequest): TypedSearchAttributes {
  const pair = (name: 'IngotDag' | 'IngotRunType', value: string) => ({
    key: defineSearchAttributeKey(name, searchAttributes[name]),
    value,
  });
  return new TypedSearchAttributes([pair('IngotDag', dagId), pair('IngotRunType', 'backfill')]);
}

/** The open backfill of a workflow id, and what it was asked; null when there is none. */
async function openBackfill(
  client: Client,
  workflowId: string,
): Promise<(BackfillHandle & { readonly request: unknown }) | null> {
  try {
    const { status, raw, runId, memo } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return null;
    const backfillId = raw.workflowExecutionInfo?.firstRunId || runId;
    return { workflowId, backfillId, request: memo?.['request'] };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function otherOpen(workflowId: string, cause: unknown): TerminalError {
  return new TerminalError(
    {
      place: workflowId,
      expected: 'no open backfill of this range with other settings',
      found: 'one that is under way',
      remedy: `Follow it with \`ingot backfill show ${workflowId}\`, or cancel it first.`,
    },
    { cause },
  );
}

/**
 * Starts a backfill. The same one created again while it is open is the same backfill: `joined` is true, and nothing was
 * started. Throws TerminalError while one of the range with other settings is open.
 */
export async function createBackfill(
  client: Client,
  { taskQueue, ...given }: NewBackfillRequest,
): Promise<BackfillHandle & { readonly joined: boolean }> {
  const request: BackfillRequest = { ...given, runsPerExecution: given.runsPerExecution ?? runsPerExecution };
  const { dagId, from, to, reprocess, maxActiveRuns } = request;
  const workflowId = backfillWorkflowId(dagId, request);
  const input: BackfillInput = { request, carried: null };
  try {
    const handle = await client.workflow.start(workflowType, {
      workflowId,
      taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      memo: { request },
      typedSearchAttributes: attributes(request),
      staticSummary: `${dagId} ${from.slice(0, 10)} to ${to.slice(0, 10)} (backfill)`,
      staticDetails: `reprocess ${reprocess}, at most ${maxActiveRuns} runs at a time`,
    });
    return { workflowId, backfillId: handle.firstExecutionRunId, joined: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const open = await openBackfill(client, workflowId);
    // It ended between the two calls.
    if (open === null) return createBackfill(client, { taskQueue, ...given });
    if (!isDeepStrictEqual(open.request, JSON.parse(JSON.stringify(request))))
      throw otherOpen(workflowId, error);
    return { workflowId, backfillId: open.backfillId, joined: true };
  }
}

function handleOf(client: Client, { workflowId, backfillId }: BackfillHandle): WorkflowHandle {
  return client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: backfillId });
}

/** The current execution, once it is known to be one of this backfill: a signal does not check that by itself. */
async function signal(client: Client, backfill: BackfillHandle, name: 'pause' | 'resume'): Promise<void> {
  const open = await openBackfill(client, backfill.workflowId);
  if (open?.backfillId !== backfill.backfillId)
    throw new TerminalError({
      place: backfill.workflowId,
      expected: `an open backfill to ${name}`,
      found: 'one that has ended',
      remedy: '`ingot backfill show` says how.',
    });
  await handleOf(client, backfill).signal(name);
}

/** From now on no new run starts; those under way go on. */
export function pauseBackfill(client: Client, backfill: BackfillHandle): Promise<void> {
  return signal(client, backfill, 'pause');
}

export function resumeBackfill(client: Client, backfill: BackfillHandle): Promise<void> {
  return signal(client, backfill, 'resume');
}

/** Asks it to end, and its runs before it. */
export async function cancelBackfill(client: Client, backfill: BackfillHandle): Promise<void> {
  await handleOf(client, backfill).cancel();
}
