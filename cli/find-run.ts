import type { Ledger, RunRecord } from '../ports/ledger.ts';
import { nearest } from '../workers/config/nearest.ts';
import { UsageError } from './cli.ts';

/** A run by its id, by the first letters of its id, or the latest of a workflow id. */
export async function findRun(ledger: Ledger, text: string): Promise<RunRecord> {
  const exact = (await ledger.run(text)) ?? (await ledger.runs({ workflowId: text, limit: 1 }))[0];
  if (exact !== undefined && exact !== null) return exact;
  const recent = await ledger.runs({ limit: 500 });
  const begun = recent.filter((run) => run.runId.startsWith(text));
  if (text.length >= 6 && begun.length === 1) return begun[0]!;
  const meant = nearest(text, [...new Set(recent.map((run) => run.workflowId))]);
  const known = meant.length > 0 ? `Did you mean ${meant.join(' or ')}?` : '`ingot runs list` shows them.';
  throw new UsageError(
    `expected a run id, or a workflow id such as payments-2026-01-02T00:00:00Z; found ${text}. ${known}`,
  );
}
