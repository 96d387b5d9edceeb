import type { Json } from '../dag/json.ts';
import { failuresOf } from '../dag/outcome.ts';
import type { RunProgress } from '../dag/reducer.ts';
import type { LedgerEvent } from '../ports/ledger.ts';

export function heldEvent(runId: string, number: number, at: string, progress: RunProgress): LedgerEvent {
  const failed: Json = failuresOf(progress.instances);
  return { key: `run/${runId}/held/${number}`, kind: 'run_held', at, payload: { runId, failed } };
}
