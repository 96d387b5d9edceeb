import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { RunState } from '../dag/plan.ts';
import type { RunType } from '../ports/ledger.ts';
import type { KnownRun } from './begin-run.ts';

/** By these, runs are found in Temporal's own lists. Wire format: `workers/search-attributes.ts` registers the same names. */
const dagKey = defineSearchAttributeKey('IngotDag', 'KEYWORD');
const logicalDateKey = defineSearchAttributeKey('IngotLogicalDate', 'DATETIME');
const runTypeKey = defineSearchAttributeKey('IngotRunType', 'KEYWORD');
const stateKey = defineSearchAttributeKey('IngotState', 'KEYWORD');
const backfillKey = defineSearchAttributeKey('IngotBackfill', 'KEYWORD');
const planHashKey = defineSearchAttributeKey('IngotPlanHash', 'KEYWORD');

/** What a run does not have yet that was started by other means than Ingot's client, as from the Temporal UI. */
export function missingAttributes(
  { plan, facts }: KnownRun,
  given: TypedSearchAttributes,
): SearchAttributeUpdatePair[] {
  if (given.get(dagKey) !== undefined) return [];
  return [
    { key: dagKey, value: plan.dagId },
    { key: logicalDateKey, value: new Date(facts.interval.logicalDate) },
    { key: runTypeKey, value: facts.run.type },
    { key: stateKey, value: 'running' satisfies RunState },
  ];
}

/** Each update is written to the visibility store on its own, which costs as much as a task: one, at the end. */
export function endedAttributes(planHash: string, outcome: RunState): SearchAttributeUpdatePair[] {
  return [
    { key: planHashKey, value: planHash },
    { key: stateKey, value: outcome },
  ];
}

/** Of an open run. `queued` waits for its turn, `held` for an operator. */
export function stateAttributes(state: 'queued' | 'held' | 'running'): SearchAttributeUpdatePair[] {
  return [{ key: stateKey, value: state }];
}

/** Those a run has before a worker begins it. */
export function startAttributes(dagId: string, type: RunType, logicalDate: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: dagKey, value: dagId },
    { key: runTypeKey, value: type },
    { key: stateKey, value: 'running' satisfies RunState },
    { key: logicalDateKey, value: new Date(logicalDate) },
  ]);
}

export function backfillRunAttributes(
  dagId: string,
  logicalDate: string,
  backfillId: string,
): TypedSearchAttributes {
  const all = startAttributes(dagId, 'backfill', logicalDate);
  return new TypedSearchAttributes([...all.getAll(), { key: backfillKey, value: backfillId }]);
}
