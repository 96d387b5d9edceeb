import type { BackfillRecord } from '../ports/backfill.ts';
import type { Ledger } from '../ports/ledger.ts';
import { nearest } from '../workers/config/nearest.ts';
import { UsageError } from './cli.ts';

/** A backfill by its id, by the first letters of its id, or the latest of a workflow id or of a DAG. */
export async function findBackfill(ledger: Ledger, text: string): Promise<BackfillRecord> {
  const exact =
    (await ledger.backfill(text)) ??
    (await ledger.backfills({ workflowId: text, limit: 1 }))[0] ??
    (await ledger.backfills({ dagId: text, limit: 1 }))[0];
  if (exact !== undefined) return exact;
  const recent = await ledger.backfills({ limit: 500 });
  const begun = recent.filter((backfill) => backfill.backfillId.startsWith(text));
  if (text.length >= 6 && begun.length === 1) return begun[0]!;
  const meant = nearest(text, [...new Set(recent.map((backfill) => backfill.workflowId))]);
  const known =
    meant.length > 0 ? `Did you mean ${meant.join(' or ')}?` : '`ingot backfill list` shows them.';
  throw new UsageError(
    `expected the id or workflow id of a backfill, or a DAG that has one; found ${text}. ${known}`,
  );
}
