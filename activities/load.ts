import type { TaskKind } from '../dag/builder.ts';
import { columnsOf, contractJson } from '../dag/contract.ts';
import type { ColumnDeclarations, Contract } from '../dag/contract.ts';
import { partitionText } from '../dag/relation.ts';
import type { PartitionValues } from '../dag/relation.ts';
import type { PartitionVersion } from '../ports/ledger.ts';
import type { LoadResult, WarehouseTable } from '../ports/warehouse.ts';
import { hashOf, hashOfText } from './hashes.ts';
import type { PublishedOf } from './published.ts';
import { datesAround, eachDate } from './selection.ts';
import { filesOf, takeSnapshot } from './snapshots.ts';
import { sqlFile } from './sql-files.ts';
import { quoted } from './sql-text.ts';
import type { TaskContext } from './task-context.ts';

/** Declares a table of the warehouse. */
export function warehouseTable(declaration: {
  readonly name: string;
  readonly columns: ColumnDeclarations;
  readonly primaryKey: readonly string[];
  /** What follows `on <table>`, e.g. `(total_spent_aud desc)`. */
  readonly indexes?: readonly string[];
}): WarehouseTable {
  const { name, columns, primaryKey, indexes = [] } = declaration;
  return { name, columns: columnsOf(columns), primaryKey, indexes };
}

interface SliceOptions<C extends Contract> {
  /** The published table whose partitions are loaded, one slice each. */
  readonly from: C;
  /** Name of the warehouse connection. */
  readonly connection: string;
  /** Dates around the logical date whose partitions this run can have changed. */
  readonly days: readonly [first: number, last: number];
  /** The partition of a date. */
  readonly partition: (date: string) => PartitionValues;
  /** Column of the copied rows that holds the date. */
  readonly sliceColumn: string;
}

export interface LoadOptions<C extends Contract> extends SliceOptions<C> {
  readonly target: WarehouseTable;
}

export interface UpsertOptions<C extends Contract> extends SliceOptions<C> {
  readonly staging: WarehouseTable;
  readonly target: WarehouseTable;
  /** File of the select that gives the target's rows of the affected keys from all of staging. */
  readonly folder: URL;
  readonly recompute: string;
  /** Columns of staging as expressions over the table's, where they are not columns of it. */
  readonly columns?: Readonly<Record<string, string>>;
}

export interface LoadOutput {
  readonly slices: number;
  readonly stale: number;
  readonly copied: number;
  readonly upserted: number;
  readonly deleted: number;
}

/**
 * A task that brings the partitions of a published table into a warehouse table, a slice each, in one fenced transaction per slice. A slice
 * from a newer publication is left alone; a partition that is gone takes its rows with it.
 */
export function load<C extends Contract>(
  options: LoadOptions<C>,
): TaskKind<PublishedOf<C>, LoadOutput, TaskContext> {
  const { from, target } = options;
  return {
    name: 'load',
    facts: {
      kind: 'load',
      reads: [from.name],
      target: target.name,
      connection: options.connection,
      contractHash: hashOf(contractJson(from)),
    },
    summary: `${from.name} → ${target.name}`,
    heartbeatMs: 30_000,
    run: (_, context) => loadSlices(options, { target, staging: null, columns: {} }, context),
  };
}

/**
 * A task that keeps contributions in a staging table, a slice per partition, and recomputes the target's rows of every key a slice had or
 * has from all of staging, in the same fenced transaction. So the order and number of loads do not matter.
 */
export function upsert<C extends Contract>(
  options: UpsertOptions<C>,
): TaskKind<PublishedOf<C>, LoadOutput, TaskContext> {
  const { from, target, staging, columns = {} } = options;
  const recompute = sqlFile(options.folder, options.recompute).sql;
  return {
    name: 'upsert',
    facts: {
      kind: 'upsert',
      reads: [from.name],
      target: target.name,
      staging: staging.name,
      connection: options.connection,
      sqlHash: hashOfText(recompute),
      contractHash: hashOf(contractJson(from)),
    },
    summary: `${from.name} → ${target.name}`,
    heartbeatMs: 30_000,
    run: (_, context) =>
      loadSlices(options, { target, staging: { table: staging, recompute }, columns }, context),
  };
}

interface Destination {
  readonly target: WarehouseTable;
  readonly staging: { readonly table: WarehouseTable; readonly recompute: string } | null;
  readonly columns: Readonly<Record<string, string>>;
}

interface DatedPartition {
  readonly date: string;
  readonly publication: number;
  readonly versions: readonly PartitionVersion[];
}

async function loadSlices(
  options: SliceOptions<Contract>,
  destination: Destination,
  context: TaskContext,
): Promise<LoadOutput> {
  const warehouse = await context.ports.warehouse(options.connection);
  const results: LoadResult[] = [];
  for (const slice of await slicesOf(options, context)) {
    context.signal.throwIfAborted();
    context.beat(`loading ${slice.date}`);
    const { table } = options.from;
    const { name, columns } = destination.staging?.table ?? destination.target;
    const select = `select ${columns.map((column) => `${destination.columns[column.name] ?? quoted(column.name)} as ${quoted(column.name)}`).join(', ')} from slice`;
    const call = { signal: context.signal, beat: (note?: string) => context.beat(note) };
    const result = await warehouse.replaceSlice(
      {
        target: destination.target,
        staging: destination.staging,
        slice: { column: options.sliceColumn, value: slice.date },
        publication: slice.publication,
        columns: columns.map((column) => column.name),
        rows: context.ports.sql.exportCsv(
          select,
          [
            {
              name: 'slice',
              columns: table.columns,
              partitionBy: table.partitionBy,
              files: filesOf(slice.versions),
            },
          ],
          call,
        ),
      },
      call,
    );
    context.log.info(`Slice ${slice.date} of ${name}: ${result.outcome}`, {
      copied: result.copied,
      upserted: result.upserted,
      deleted: result.deleted,
    });
    results.push(result);
  }
  const total = (count: (result: LoadResult) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0);
  return {
    slices: results.length,
    stale: results.filter(({ outcome }) => outcome === 'stale').length,
    copied: total(({ copied }) => copied),
    upserted: total(({ upserted }) => upserted),
    deleted: total(({ deleted }) => deleted),
  };
}

/** Every date that has or had a partition, with the publication that made it what it is now. */
async function slicesOf(
  { from, days, partition }: SliceOptions<Contract>,
  context: TaskContext,
): Promise<readonly DatedPartition[]> {
  const { ledger } = context.ports;
  const taken = await takeSnapshot(context, [
    { name: from.name, table: from.name, selection: eachDate(partition, ...days), role: 'input' },
  ]);
  const present = new Map(
    (taken.versions.get(from.name) ?? []).map((version) => [version.partitionText, version]),
  );
  const slices = datesAround(context.interval, ...days).map(async (date): Promise<DatedPartition | null> => {
    const text = partitionText(from.table, partition(date));
    const version = present.get(text);
    if (version !== undefined) return { date, publication: version.publicationId, versions: [version] };
    const [removal] = await ledger.history({ table: from.name, partition: text, limit: 1 });
    return removal === undefined ? null : { date, publication: removal.id, versions: [] };
  });
  return (await Promise.all(slices)).filter((slice) => slice !== null);
}
