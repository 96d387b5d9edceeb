import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Ledger, RunRecord } from '../ports/ledger.ts';
import type { RunHandle } from '../workers/client.ts';
import { searchAttributes } from '../workers/search-attributes.ts';
import { UsageError } from './cli.ts';
import { findRun } from './find-run.ts';

/** A run that Temporal holds open and the ledger has not heard of: no worker has begun it. */
export interface UnbegunRun extends RunHandle {
  readonly dagId: string;
}

const dagKey = defineSearchAttributeKey('IngotDag', searchAttributes.IngotDag);
const isRunId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function workflowIdOf(client: Client, text: string): Promise<string | null> {
  if (!isRunId.test(text)) return text;
  for await (const { workflowId } of client.workflow.list({ query: `RunId = '${text}'` })) return workflowId;
  return null;
}

/** By workflow id or run id; null where Temporal has no such open run of a DAG. */
export async function findUnbegun(client: Client, text: string): Promise<UnbegunRun | null> {
  const workflowId = await workflowIdOf(client, text);
  if (workflowId === null) return null;
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    const { status, runId, type: dagId, typedSearchAttributes } = description;
    // A backfill has the attribute too, and is of another type.
    const isRun = typedSearchAttributes.get(dagKey) === dagId;
    return status.name === 'RUNNING' && isRun ? { workflowId, runId, dagId } : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** A run of the ledger's, or one that no worker has begun. */
export async function findAnyRun(
  ledger: Ledger,
  client: Client,
  text: string,
): Promise<{ readonly run: RunRecord } | { readonly unbegun: UnbegunRun }> {
  try {
    return { run: await findRun(ledger, text) };
  } catch (error) {
    const unbegun = error instanceof UsageError ? await findUnbegun(client, text) : null;
    if (unbegun === null) throw error;
    return { unbegun };
  }
}
