import type { JsonObject } from './json.ts';
import type { OperatorChange } from './run-progress.ts';

/** As the ledger keeps it. */
interface OperatorEvent {
  readonly key: string;
  readonly kind: string;
  readonly at: string;
  readonly payload: JsonObject;
}

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
): OperatorEvent {
  const { type, ...said } = change;
  return {
    key: `${operatorEvents(runId)}${number}`,
    kind: type,
    at,
    payload: { runId, ...more, ...(said as unknown as JsonObject) },
  };
}
