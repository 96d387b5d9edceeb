import { TerminalError } from '../../ports/errors.ts';
import type { LoadRequest, LoadResult, WarehouseTable } from '../../ports/warehouse.ts';
import { takeLocks } from './advisory-locks.ts';
import type { CancellableTransaction } from './cancellable.ts';
import { copyIn } from './copy-in.ts';
import { bareSelect, literal, quoted, quotedList, quotedTable, sqlType } from './identifiers.ts';
import { bringInLine } from './warehouse-tables.ts';

/** Kept by the load in every target: when the row last really changed. */
const updatedAt = { name: 'updated_at', type: 'timestamp', nullable: false } as const;

function withUpdatedAt(table: WarehouseTable): WarehouseTable {
  const columns = table.columns.filter((column) => column.name !== updatedAt.name);
  return { ...table, columns: [...columns, updatedAt] };
}

const dataColumns = (table: WarehouseTable): readonly string[] =>
  table.columns.map((column) => column.name).filter((name) => name !== updatedAt.name);

/** The slice is found by its column, so there is an index that begins with it. */
function withSliceIndex(table: WarehouseTable, column: string): WarehouseTable {
  const first = `(${column}`;
  if (
    table.primaryKey[0] === column ||
    table.indexes.some((index) => index.replaceAll('"', '').startsWith(first))
  )
    return table;
  return { ...table, indexes: [...table.indexes, `(${quoted(column)})`] };
}

function refuse(request: LoadRequest, expected: string, found: string, remedy: string): never {
  throw new TerminalError({ place: `load of ${request.target.name}`, expected, found, remedy });
}

function sliceType(request: LoadRequest, table: WarehouseTable): string {
  const strange = request.columns.filter((name) => !dataColumns(table).includes(name));
  if (strange.length > 0)
    refuse(
      request,
      `columns of ${table.name}`,
      strange.join(', '),
      'Add them to the table or leave them out.',
    );
  const needed = [...new Set([request.slice.column, ...table.primaryKey])];
  const missing = needed.filter((name) => !request.columns.includes(name));
  if (missing.length > 0)
    refuse(
      request,
      `rows with ${needed.join(', ')}`,
      `none of ${missing.join(', ')}`,
      'Select these columns as well.',
    );
  return sqlType(table.columns.find((column) => column.name === request.slice.column)!.type);
}

async function newerPublication(transaction: CancellableTransaction, request: LoadRequest): Promise<boolean> {
  const rows = await transaction.query<{ publication: number }>(
    'select publication from ingot_loads where target = $1 and slice = $2',
    [request.target.name, `${request.slice.column}=${request.slice.value}`],
  );
  return rows[0] !== undefined && rows[0].publication > request.publication;
}

async function rememberLoad(transaction: CancellableTransaction, request: LoadRequest): Promise<void> {
  await transaction.query(
    `insert into ingot_loads (target, slice, publication) values ($1, $2, $3)
     on conflict (target, slice) do update set publication = excluded.publication, loaded_at = excluded.loaded_at`,
    [request.target.name, `${request.slice.column}=${request.slice.value}`, request.publication],
  );
}

const sameKey = (key: readonly string[], a: string, b: string): string =>
  key.map((column) => `${a}.${quoted(column)} = ${b}.${quoted(column)}`).join(' and ');

/** Writes only rows that are new or differ, so `updated_at` and the disk tell the truth. */
function upsert(target: WarehouseTable, columns: readonly string[], from: string): string {
  const rest = columns.filter((column) => !target.primaryKey.includes(column));
  const set = [...rest, updatedAt.name].map((column) => `${quoted(column)} = excluded.${quoted(column)}`);
  const action =
    rest.length === 0
      ? 'do nothing'
      : `do update set ${set.join(', ')}
         where (${quotedList(rest, 't.')}) is distinct from (${quotedList(rest, 'excluded.')})`;
  return `insert into ${quotedTable(target.name)} as t (${quotedList(columns)}, ${quoted(updatedAt.name)})
    select ${quotedList(columns)}, transaction_timestamp() from ${from}
    on conflict (${quotedList(target.primaryKey)}) ${action}`;
}

function copyStatement(table: string, columns: readonly string[]): string {
  return `copy ${table} (${quotedList(columns)}) from stdin (format csv)`;
}

/** The rows are rows of the target: they go to a temporary table and from there, in one statement each, to the target. */
async function loadTarget(transaction: CancellableTransaction, request: LoadRequest): Promise<LoadResult> {
  const { target, slice, columns } = request;
  const type = sliceType(request, target);
  await bringInLine(transaction.query, withUpdatedAt(withSliceIndex(target, slice.column)));
  const incoming = target.columns.filter((column) => columns.includes(column.name));
  const definitions = incoming.map((column) => `${quoted(column.name)} ${sqlType(column.type)}`);
  await transaction.query(`create temporary table ingot_incoming (${definitions.join(', ')}) on commit drop`);
  const copied = await copyIn(transaction, copyStatement('ingot_incoming', columns), request.rows);
  await refuseOtherSlices(transaction, request, 'ingot_incoming', copied, type);
  await transaction.query('analyze ingot_incoming');
  const deleted = await transaction.count(
    `delete from ${quotedTable(target.name)} t where t.${quoted(slice.column)} = $1::${type}
        and not exists (select from ingot_incoming i where ${sameKey(target.primaryKey, 'i', 't')})`,
    [slice.value],
  );
  const upserted = await transaction.count(upsert(target, columns, 'ingot_incoming'));
  return { outcome: 'loaded', copied, upserted, deleted };
}

async function refuseOtherSlices(
  transaction: CancellableTransaction,
  request: LoadRequest,
  table: string,
  copied: number,
  type: string,
): Promise<void> {
  const { column, value } = request.slice;
  const rows = await transaction.query<{ inside: number }>(
    `select count(*) as inside from ${table} where ${quoted(column)} = $1::${type}`,
    [value],
  );
  const outside = copied - rows[0]!.inside;
  if (outside !== 0)
    refuse(
      request,
      `rows of the slice ${column} = ${value}`,
      `${outside} of ${copied} rows outside of it`,
      'Select the rows of the slice only.',
    );
}

/** Replaces the slice of the staging table and leaves in `ingot_affected` every key of the target it had or has. */
async function replaceStaged(
  transaction: CancellableTransaction,
  request: LoadRequest,
  staging: WarehouseTable,
): Promise<number> {
  const { slice, target } = request;
  const type = sliceType(request, staging);
  const key = quotedList(target.primaryKey);
  const table = quotedTable(staging.name);
  await transaction.query(
    `create temporary table ingot_gone on commit drop as select ${key} from ${table} limit 0`,
  );
  await transaction.query(
    `with gone as (delete from ${table} where ${quoted(slice.column)} = $1::${type} returning ${key})
     insert into ingot_gone select ${key} from gone`,
    [slice.value],
  );
  const copied = await copyIn(transaction, copyStatement(table, request.columns), request.rows);
  await refuseOtherSlices(transaction, request, table, copied, type);
  await transaction.query(
    `create temporary table ingot_affected on commit drop as
     select ${key} from ingot_gone union select ${key} from ${table} where ${quoted(slice.column)} = ${literal(slice.value)}::${type}`,
  );
  await transaction.query('analyze ingot_affected');
  await transaction.query(`analyze ${table}`);
  return copied;
}

/** The rows are contributions: the target's rows of the affected keys are computed again from all of staging. */
async function loadThroughStaging(
  transaction: CancellableTransaction,
  request: LoadRequest,
  { table: staging, recompute }: NonNullable<LoadRequest['staging']>,
): Promise<LoadResult> {
  const { target, slice } = request;
  await bringInLine(transaction.query, withSliceIndex(staging, slice.column));
  await bringInLine(transaction.query, withUpdatedAt(target));
  const copied = await replaceStaged(transaction, request, staging);
  // The line break ends a comment the select may end with.
  const rows = await transaction.query<{ deleted: number; upserted: number }>(
    `with staging as not materialized (select * from ${quotedTable(staging.name)}),
          affected as not materialized (select * from ingot_affected),
          computed as materialized (
${bareSelect(recompute)}
          ),
          vanished as (
            delete from ${quotedTable(target.name)} t using ingot_affected a where ${sameKey(target.primaryKey, 'a', 't')}
               and not exists (select from computed c where ${sameKey(target.primaryKey, 'c', 't')}) returning 1
          ),
          changed as (${upsert(target, dataColumns(target), 'computed')} returning 1)
     select (select count(*) from vanished) as deleted, (select count(*) from changed) as upserted`,
  );
  return { outcome: 'loaded', copied, ...rows[0]! };
}

/** The body of a load's transaction. The locks come first: what a later statement reads is then nobody else's to change. */
export async function replaceSlice(
  transaction: CancellableTransaction,
  request: LoadRequest,
): Promise<LoadResult> {
  const tables = [request.target.name, ...(request.staging === null ? [] : [request.staging.table.name])];
  await takeLocks(
    transaction.query,
    tables.map((table) => ({ name: `load:${table}`, mode: 'exclusive' })),
  );
  if (await newerPublication(transaction, request))
    return { outcome: 'stale', copied: 0, upserted: 0, deleted: 0 };
  const result =
    request.staging === null
      ? await loadTarget(transaction, request)
      : await loadThroughStaging(transaction, request, request.staging);
  await rememberLoad(transaction, request);
  return result;
}
