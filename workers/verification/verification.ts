import type { SqlEngine, WrittenPartition } from '../../ports/sql-engine.ts';
import type { Config } from '../config.ts';
import type { AwsLake } from '../open-aws-lake.ts';
import type { Checks } from './outcome.ts';
import type { VerifiedLedger } from './verified-ledger.ts';

/** What the checks of an account share. */
export interface Verification {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** Of this run: in every name it makes. */
  readonly id: string;
  /** Below a prefix of this run, in databases of this run. */
  readonly lake: AwsLake;
  readonly sql: SqlEngine;
  readonly ledger: VerifiedLedger;
  /** Name of the topic to publish to, if any. */
  readonly topic: string | null;
  /** What DuckDB wrote, for those that read it. */
  readonly written: WrittenPartition[];
  /** A Glue job run whose end may be awaited. */
  jobRunId: string | null;
  /** Runs at the end, in reverse order, unless what was made is to be kept. */
  cleanUp(what: string, remove: () => Promise<unknown>): void;
}

/** Shows what one service does. */
export type Verify = (verification: Verification, checks: Checks) => Promise<void>;
