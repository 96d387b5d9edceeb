import type { Contract } from '../dag/contract.ts';

/** What a task wrote to a table: passing it on is the edge, and names the table so that `tsc` checks the wiring. */
export interface Published<Name extends string = string> {
  readonly table: Name;
  readonly partitions: number;
  readonly rows: number;
}

/** The table of a contract, as a task's output. */
export type PublishedOf<C extends Contract> = Published<C['name']>;
