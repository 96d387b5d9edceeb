import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributeUpdatePair, TypedSearchAttributes } from '@temporalio/common';
import type { RunState } from '../dag/plan.ts';
import type { KnownRun } from './begin-run.ts';

/** By these, runs are found in Temporal's own lists. Wire format: `workers/search-attributes.ts` registers the same names. */
const dagKey = defineSearchAttributeKey('IngotDag', 'KEYWORD');
const logicalDateKey = defineSearchAttributeKey('IngotLogicalDate', 'DATETIME');
const runTypeKey = defineSearchAttributeKey('IngotRunType', 'KEYWORD');
const stateKey = defineSearchAttributeKey('IngotState', 'KEYWORD');
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
