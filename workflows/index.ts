/** The one entry of the workflow bundle. The default export answers for every workflow type: a run's type is its DAG's id. */
export { runDag as default } from './run-dag.ts';
export { alert as 'ingot.alert' } from './alert.ts';
export { assetFeed as 'ingot.assetFeed' } from './asset-feed.ts';
export { backfill as 'ingot.backfill' } from './backfill.ts';
export { tick } from './tick.ts';

/**
 * For every promise a workflow makes, the SDK takes a stack trace and maps each frame of it to its source. The interpreter's
 * own frames tell nobody what a run waits for, which its details do: the innermost ones are enough to find a defect.
 * Set here, since the sandbox freezes it before a workflow runs.
 */
Object.assign(Error, { stackTraceLimit: 3 });
