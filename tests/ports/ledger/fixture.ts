import { createHash, randomUUID } from 'node:crypto';
import { canonicalJson } from '../../../dag/json.ts';
import type { Json } from '../../../dag/json.ts';
import type { Plan } from '../../../dag/plan.ts';
import type { Table } from '../../../dag/relation.ts';
import type {
  Ledger,
  Manifest,
  NewRun,
  OutputPartition,
  PartitionSelector,
  PublishRequest,
  Snapshot,
} from '../../../ports/ledger.ts';

/** A ledger with nothing in it. */
export interface LedgerFixture extends AsyncDisposable {
  readonly ledger: Ledger;
  /** The same ledger as another process would open it. */
  another(): Promise<Ledger>;
  /** Cuts every connection to the store, in the middle of whatever they do. */
  cut(): Promise<void>;
  /** Deadlocks the store had to break so far; called after everything is closed. */
  deadlocks(): Promise<number>;
}

export type OpenLedger = () => Promise<LedgerFixture>;

export const plan: Plan = {
  format: 1,
  dagId: 'shop',
  description: null,
  schedule: null,
  timezone: 'UTC',
  startAt: null,
  endAt: null,
  catchup: false,
  maxActiveRuns: 1,
  params: {},
  tags: [],
  owners: [],
  tasks: [],
};

export function hashOf(of: Plan): string {
  return createHash('sha256')
    .update(canonicalJson(of as unknown as Json))
    .digest('hex');
}

export function newRun(overrides: Partial<NewRun> = {}): NewRun {
  const runId = overrides.runId ?? randomUUID();
  return {
    runId,
    workflowId: `shop-${runId}`,
    dagId: 'shop',
    type: 'manual',
    logicalDate: '2026-01-01T00:00:00Z',
    intervalStart: '2026-01-01T00:00:00Z',
    intervalEnd: '2026-01-02T00:00:00Z',
    params: {},
    plan,
    planHash: hashOf(plan),
    build: 'build-1',
    startedAt: '2026-01-02T00:00:05Z',
    ...overrides,
  };
}

export async function openRun(ledger: Ledger, overrides: Partial<NewRun> = {}): Promise<string> {
  const run = newRun(overrides);
  await ledger.beginRun(run);
  return run.runId;
}

const column = (name: string) => ({ name, type: 'text' as const, nullable: false });

export const bronze: Table = {
  name: 'shop.bronze',
  zone: 'bronze',
  columns: [column('id'), column('day')],
  partitionBy: ['day'],
};
export const silver: Table = {
  name: 'shop.silver',
  zone: 'silver',
  columns: [column('id'), column('day'), column('kind')],
  partitionBy: ['day', 'kind'],
};
export const rates: Table = {
  name: 'shop.rates',
  zone: 'raw',
  columns: [column('currency')],
  partitionBy: [],
};

export const bronzeDay = (day: string): PartitionSelector => ({ table: bronze.name, values: { day } });
export const silverSlice = (day: string, kind: string): PartitionSelector => ({
  table: silver.name,
  values: { day, kind },
});

export const reads = (selector: PartitionSelector) => ({ selector, role: 'input' as const });
export const writes = (selector: PartitionSelector) => ({ selector, role: 'output' as const });

export function output(
  selector: PartitionSelector,
  overrides: Partial<OutputPartition> = {},
): OutputPartition {
  if (!('values' in selector)) throw new Error('An output is one partition.');
  const key = `data/${selector.table}/${randomUUID()}/task/1/part-0.parquet`;
  return {
    table: selector.table,
    partition: selector.values,
    files: [{ key, bytes: 100, rows: 10 }],
    rows: 10,
    bytes: 100,
    columns: { id: { nulls: 0, min: 'a', max: 'z' } },
    removed: false,
    ...overrides,
  };
}

export function manifest(
  snapshot: Snapshot,
  outputs: readonly OutputPartition[],
  overrides: Partial<Manifest> = {},
): Manifest {
  return {
    snapshot,
    outputs,
    sqlHash: 'sql-1',
    contractHash: 'contract-1',
    engine: 'duckdb',
    rules: [],
    accounts: [],
    summary: {},
    watermarks: [],
    ...overrides,
  };
}

export function request(
  runId: string,
  of: Manifest,
  overrides: Partial<Omit<PublishRequest, 'manifest'>> = {},
): PublishRequest {
  return {
    runId,
    taskId: 'load',
    mapIndex: -1,
    attempt: 1,
    build: 'build-1',
    manifest: of,
    publishedAt: '2026-01-02T00:01:00Z',
    ...overrides,
  };
}

/** Takes a snapshot and publishes new versions of the partitions written, as one task of one run would. */
export async function publishNow(
  ledger: Ledger,
  runId: string,
  taskId: string,
  written: readonly PartitionSelector[],
  options: {
    reads?: readonly PartitionSelector[];
    removed?: boolean;
    manifest?: Partial<Manifest>;
    attempt?: number;
  } = {},
) {
  const { snapshot } = await ledger.snapshot([...(options.reads ?? []).map(reads), ...written.map(writes)]);
  const outputs = written.map((selector) =>
    output(
      selector,
      options.removed === true ? { removed: true, files: [], rows: 0, bytes: 0, columns: {} } : {},
    ),
  );
  return ledger.publish(
    request(runId, manifest(snapshot, outputs, options.manifest), { taskId, attempt: options.attempt ?? 1 }),
  );
}
