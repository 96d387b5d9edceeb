import type { DuckDBResult } from '@duckdb/node-api';
import type { Table } from '../../dag/relation.ts';
import type { CallOptions } from '../../ports/abortable.ts';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { PartitionLog, PartitionVersion } from '../../ports/ledger.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { QueryResult, QueryService } from '../../ports/query-service.ts';
import type { ResultValue } from '../../ports/sql-engine.ts';
import { Database } from './database.ts';
import { inputSelect } from './input-relations.ts';
import { nearestNames } from '../../dag/nearest-names.ts';
import { neededPartitions } from './partition-pruning.ts';
import { type TableReference, tableReferences } from './query-statement.ts';
import { resultColumns, resultRows } from './result-values.ts';
import type { S3Access } from './s3-access.ts';
import { Session } from './session.ts';
import { Slots } from './slots.ts';
import { identifier, literal } from './sql-text.ts';

export interface DuckDbQueryServiceOptions {
  readonly ledger: Pick<PartitionLog, 'tables' | 'snapshot'>;
  readonly objects: ObjectStore;
  /** For all queries of this service together. */
  readonly memoryLimitBytes: number;
  readonly spillFolder: string;
  readonly threads?: number;
  /** Needed where `objects` is a store on S3. */
  readonly s3?: S3Access;
}

const queriesAtOnce = 4;
const place = 'query';

/** Answers queries in this process. Close it to stop what still runs and to give back spill space. */
export async function openDuckDbQueryService(
  options: DuckDbQueryServiceOptions,
): Promise<QueryService & { close(): Promise<void> }> {
  return new DuckDbQueryService(options);
}

interface BoundTable {
  readonly table: Table;
  readonly references: readonly TableReference[];
  readonly partitions: readonly PartitionVersion[];
}

/**
 * Each query gets a database of its own, which may open exactly the files of the partitions it needs and nothing else:
 * `allowed_paths` is that list, external access is off and the configuration locked before the user's SQL is run.
 */
class DuckDbQueryService implements QueryService {
  readonly #options: DuckDbQueryServiceOptions;
  readonly #slots = new Slots(queriesAtOnce);
  readonly #closing = new AbortController();
  readonly #open = new Set<Promise<void>>();

  constructor(options: DuckDbQueryServiceOptions) {
    this.#options = options;
  }

  async query(sql: string, options: CallOptions & { readonly limit?: number } = {}): Promise<QueryResult> {
    if (options.signal?.aborted === true) throw options.signal.reason;
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#closing.signal]);
    const resources = new AsyncDisposableStack();
    const ended = Promise.withResolvers<void>();
    this.#open.add(ended.promise);
    resources.defer(() => {
      this.#open.delete(ended.promise);
      ended.resolve();
    });
    const stop = () => abort.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', stop, { once: true });
    resources.defer(() => options.signal?.removeEventListener('abort', stop));
    try {
      resources.defer(await this.#slots.take(signal));
      const result = await this.#answer(sql, { ...options, signal }, resources);
      // A result nobody reads on must not keep its database when the caller gives up or the service closes.
      signal.addEventListener('abort', () => this.#giveBack(resources), { once: true });
      if (signal.aborted) throw signal.reason;
      return result;
    } catch (error) {
      await resources.disposeAsync();
      throw error;
    }
  }

  #giveBack(resources: AsyncDisposableStack): void {
    resources.disposeAsync().catch(() => undefined);
  }

  async #answer(
    sql: string,
    options: CallOptions & { readonly limit?: number },
    resources: AsyncDisposableStack,
  ): Promise<QueryResult> {
    const { memoryLimitBytes, spillFolder, threads, s3 } = this.#options;
    const database = await Database.open({
      memoryLimitBytes: Math.floor(memoryLimitBytes / queriesAtOnce),
      spillFolder,
      ...(threads === undefined ? {} : { threads }),
      ...(s3 === undefined ? {} : { s3 }),
      preserveOrder: true,
      locked: false,
    });
    resources.defer(() => database.close());
    const session = await Session.open(database, place, options);
    resources.use(session);
    resources.defer(() => session.idle());
    const tables = await this.#resolve(session, sql);
    let read = 0;
    let total = 0;
    let bytesScanned = 0;
    const bound: { table: Table; partitions: readonly PartitionVersion[] }[] = [];
    for (const { table, references, partitions } of tables) {
      const kept = await neededPartitions(session, table, references, partitions);
      refuseOtherFiles(table, kept);
      bound.push({ table, partitions: kept });
      read += kept.length;
      total += partitions.length;
      bytesScanned += kept.reduce((sum, partition) => sum + partition.bytes, 0);
    }
    await this.#bind(session, bound);
    const result = await session.stream({ label: 'select', sql, authored: sql });
    const rows = streamedRows(session, result, options.limit ?? Number.POSITIVE_INFINITY, resources);
    return {
      columns: resultColumns(result),
      rows,
      bytesScanned,
      partitions: { read, leftOut: total - read },
    };
  }

  /** The tables the statement names, with all their partitions at one instant. */
  async #resolve(session: Session, sql: string): Promise<readonly BoundTable[]> {
    const [row] = await session.texts({
      label: 'select',
      sql: `SELECT json_serialize_sql(${literal(sql)})::VARCHAR AS tree`,
    });
    const references = tableReferences(row!['tree']!, sql);
    const known = new Map(
      (await this.#options.ledger.tables()).map((table) => [table.name.toLowerCase(), table]),
    );
    const groups = Map.groupBy(references, (reference) => reference.name.toLowerCase());
    const tables = [...groups].map(([name, mentions]) => ({
      table:
        known.get(name) ??
        unknownTable(
          mentions[0]!.name,
          [...known.values()].map((table) => table.name),
        ),
      references: mentions,
    }));
    if (tables.length === 0) return [];
    const { partitions } = await this.#options.ledger.snapshot(
      tables.map(({ table }) => ({ selector: { table: table.name, where: {} }, role: 'input' as const })),
    );
    return tables.map((entry) => ({
      ...entry,
      partitions: partitions.filter((partition) => partition.table === entry.table.name),
    }));
  }

  async #bind(
    session: Session,
    tables: readonly { readonly table: Table; readonly partitions: readonly PartitionVersion[] }[],
  ): Promise<void> {
    const { objects } = this.#options;
    const label = 'binding tables';
    const paths = tables.flatMap(({ partitions }) =>
      partitions.flatMap((partition) => partition.files.map((file) => literal(objects.location(file.key)))),
    );
    await session.run({ label, sql: `SET allowed_paths = [${paths.join(', ')}]` });
    for (const { table, partitions } of tables) {
      const [schema, name] = splitName(table.name);
      const files = partitions.flatMap((partition) =>
        partition.files.map((file) => ({ key: file.key, partition: partition.partition })),
      );
      const select = await inputSelect(
        session,
        { name: table.name, columns: table.columns, partitionBy: table.partitionBy, files },
        objects,
      );
      await session.run({ label, sql: `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}` });
      await session.run({ label, sql: `CREATE VIEW ${identifier(schema)}.${identifier(name)} AS ${select}` });
    }
    await session.run({ label, sql: 'SET enable_external_access = false' });
    await session.run({ label, sql: 'SET lock_configuration = true' });
  }

  async close(): Promise<void> {
    this.#closing.abort(
      new RetryableError({
        expected: 'the query service to stay open',
        found: 'it was closed',
        remedy: 'Ask again.',
      }),
    );
    await Promise.all(this.#open);
  }
}

function splitName(name: string): [string, string] {
  const at = name.indexOf('.');
  return [name.slice(0, at), name.slice(at + 1)];
}

/** A raw zone keeps files as they were delivered; their records are in a table of their own. */
function refuseOtherFiles(table: Table, partitions: readonly PartitionVersion[]): void {
  const other = partitions.flatMap(({ files }) => files).find(({ key }) => !key.endsWith('.parquet'));
  if (other === undefined) return;
  throw new TerminalError({
    place: table.name,
    expected: 'a table of rows, stored as Parquet',
    found: `files as they were delivered, such as ${other.key}`,
    remedy: 'Query the table of their records, or read the files themselves.',
  });
}

function unknownTable(name: string, known: readonly string[]): never {
  const near = nearestNames(name, known);
  const some =
    near.length > 0
      ? `Did you mean ${near.join(' or ')}?`
      : known.length === 0
        ? 'No table is published yet: run a pipeline first.'
        : `Known tables: ${known.slice(0, 10).join(', ')}.`;
  throw new TerminalError({
    expected: 'a published table, written <pipeline>.<table>',
    found: name,
    remedy: some,
    place,
  });
}

async function* streamedRows(
  session: Session,
  result: DuckDBResult,
  limit: number,
  resources: AsyncDisposableStack,
): AsyncIterable<readonly ResultValue[]> {
  try {
    let left = limit;
    for (
      let chunk = await session.fetch(result);
      chunk !== null && chunk.rowCount > 0 && left > 0;
      chunk = await session.fetch(result)
    ) {
      for (const row of resultRows(chunk).slice(0, left)) yield row;
      left -= chunk.rowCount;
      if (left <= 0) return;
    }
  } finally {
    await resources.disposeAsync();
  }
}
