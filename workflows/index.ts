/** The one entry of the workflow bundle. The default export answers for every workflow type: a run's type is its DAG's id. */
export { runDag as default } from './run-dag.ts';
export { alert as 'ingot.alert' } from './alert.ts';
export { assetFeed as 'ingot.assetFeed' } from './asset-feed.ts';
export { backfill as 'ingot.backfill' } from './backfill.ts';
export { tick } from './tick.ts';
