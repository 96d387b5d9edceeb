import { defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { RunState } from '../dag/plan.ts';
import type { KnownRun } from './begin-run.ts';

/** By these, runs are found in Temporal's own lists. Wire format: `workers/search-attributes.ts` registers the same names. */
const dagKey = defineSearchAttributeKey('IngotDag', 'KEYWORD');
const logicalDateKey = defineSearchAttributeKey('IngotLogicalDate', 'DATETIME');
const runTypeKey = defineSearchAttributeKey('IngotRunType', 'KEYWORD');
const stateKey = defineSearchAttributeKey('IngotState', 'KEYWORD');
const planHashKey = defineSearchAttributeKey('IngotPlanHash', 'KEYWORD');

export function begunAttributes({ plan, planHash, facts }: KnownRun): SearchAttributeUpdatePair[] {
  return [
    { key: dagKey, value: plan.dagId },
    { key: logicalDateKey, value: new Date(facts.interval.logicalDate) },
    { key: runTypeKey, value: facts.run.type },
    { key: stateKey, value: 'running' satisfies RunState },
    { key: planHashKey, value: planHash },
  ];
}

export function endedAttributes(outcome: RunState): SearchAttributeUpdatePair[] {
  return [{ key: stateKey, value: outcome }];
}
