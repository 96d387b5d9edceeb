import type { JsonObject } from '../dag/json.ts';
import type { OperatorChange } from '../dag/reducer.ts';
import type { LedgerEvent } from './ledger.ts';

/** Keys of the events that say who changed a run, and when. */
export function operatorEvents(runId: string): string {
  return `run/${runId}/operator/`;
}

/** Who did what to a run. `number` tells the changes of a run apart: 0 is the one it was started again with. */
export function changeEvent(
  runId: string,
  number: number,
  at: string,
  change: OperatorChange,
  more: JsonObject = {},
): LedgerEvent {
  const { type, ...said } = change;
  return {
    key: `${operatorEvents(runId)}${number}`,
    kind: type,
    at,
    payload: { runId, ...more, ...(said as unknown as JsonObject) },
  };
}
