import { createDagFactory } from '../dag/builder.ts';
import type { TaskContext } from './task-context.ts';

/** Declares a DAG whose tasks get a {@link TaskContext}. */
export const dag = createDagFactory<TaskContext>();

export { allOf, anyOf } from '../dag/assets.ts';
export { contract, nullable, upperText } from '../dag/contract.ts';
export type { Contract, RowOf } from '../dag/contract.ts';
export {
  acceptedValues,
  between,
  castable,
  check,
  completeness,
  customSql,
  freshness,
  matches,
  notNull,
  relationships,
  rowCount,
  unique,
} from '../dag/rules.ts';
export type { Rule, RuleOptions } from '../dag/rules.ts';
export { castSelect } from './casting.ts';
export { contractMarkdown } from './contract-docs.ts';
export { crawlFiles } from './crawl-files.ts';
export { crawlTable } from './crawl-table.ts';
export { filesContract, quarantineColumns, recordsContract, typedContract } from './derived-contracts.ts';
export { ingest } from './ingest.ts';
export { load, upsert, warehouseTable } from './load.ts';
export { lookup } from './lookup.ts';
export { notify } from './notify.ts';
export type { Published } from './published.ts';
export { datesAround, eachDate, ownDate, wholeTable, window } from './selection.ts';
export type { Interval, Selection } from './selection.ts';
export { csvRelation } from './sql-files.ts';
export { sqlModel } from './sql-model.ts';
export type { TaskContext } from './task-context.ts';
export { RetryableError, TerminalError } from '../ports/errors.ts';
