import type { TaskKind } from '../dag/builder.ts';
import { contractJson } from '../dag/contract.ts';
import type { Contract } from '../dag/contract.ts';
import type { PartitionValues } from '../dag/relation.ts';
import type { OutputPartition } from '../ports/ledger.ts';
import type { ObjectInfo } from '../ports/object-store.ts';
import type { CsvJobResult } from '../ports/sql-engine.ts';
import { sourceColumns } from './casting.ts';
import { findFiles, keepFiles } from './delivered-files.ts';
import { driftOf, isReadable } from './drift.ts';
import { attemptId } from './memory.ts';
import { hashOf } from './hashes.ts';
import type { PublishedOf } from './published.ts';
import { datesAround, ownDate } from './selection.ts';
import { fingerprints, tellUnchanged, unchangedSlices, wholeSlice } from './slices.ts';
import { rowsOf, takeSnapshot } from './snapshots.ts';
import type { TaskContext } from './task-context.ts';

export interface IngestOptions<Files extends Contract, Records extends Contract> {
  /** The source's contract: the columns its files must have, and the partition column that holds the ingest date. */
  readonly source: Contract;
  /** Table of the files as delivered (`filesContract`) and of their records as text (`recordsContract`). */
  readonly files: Files;
  readonly records: Records;
  /** Folder of the raw zone in which files are kept: `<keep>/<partition>/<name>`. */
  readonly keep: string;
  /** Files of a date are looked for under `<landing>/<YYYY-MM-DD>/`. */
  readonly landing: string;
  /** What tells a user how to get a file. */
  readonly hint: string;
}

export interface IngestInput {
  /** Key of the one object to take in place of the landing folder's. */
  readonly input: string | null;
}

export interface IngestOutput<Files extends Contract, Records extends Contract> {
  readonly files: PublishedOf<Files>;
  readonly records: PublishedOf<Records>;
  readonly malformed: number;
  /** Files whose header does not hold the contract's columns: kept, but not read. The crawl reports them. */
  readonly unreadable: readonly string[];
}

/**
 * A task that takes in a date's CSV files: they become the immutable objects of the raw partition, byte for byte, and their records
 * rows of text, the unreadable ones with their raw line. Objects that are there already are not copied again; every delivered
 * file is read, also one that repeats another. Throws TerminalError when there is no file.
 */
export function ingest<Files extends Contract, Records extends Contract>(
  options: IngestOptions<Files, Records>,
): TaskKind<IngestInput, IngestOutput<Files, Records>, TaskContext> {
  const contractHash = hashOf(contractJson(options.source));
  return {
    name: 'ingest',
    facts: {
      kind: 'ingest',
      landing: options.landing,
      writes: [options.files.name, options.records.name].sort(),
      contractHash,
    },
    summary: `${options.landing}/<date> → ${options.records.name}`,
    heartbeatMs: 30_000,
    run: (input, context) => take(options, contractHash, input, context),
  };
}

async function take<Files extends Contract, Records extends Contract>(
  options: IngestOptions<Files, Records>,
  contractHash: string,
  { input }: IngestInput,
  context: TaskContext,
): Promise<IngestOutput<Files, Records>> {
  const { source, files, records } = options;
  const { ports, interval } = context;
  const [date] = datesAround(interval, 0, 0) as [string];
  const column = source.table.partitionBy[0]!;
  const partition = { [column]: date };
  const delivered = await findFiles(options, context, input, date);
  await ports.ledger.registerTables([files.table, records.table]);
  const taken = await takeSnapshot(
    context,
    [files, records].map((each) => ({
      name: each.name,
      table: each.name,
      selection: ownDate(column),
      role: 'output',
    })),
  );
  const slice = wholeSlice(
    context,
    taken.snapshot,
    () => ({ contractHash, keep: options.keep }),
    delivered.map(({ key, etag, bytes }) => ({ key, etag, bytes })),
  );
  const [unchanged] = await unchangedSlices(context, [slice], null);
  if (unchanged !== undefined) {
    await tellUnchanged(context, [unchanged]);
    const { malformed, unreadable } = unchanged.summary as unknown as Pick<
      IngestOutput<Files, Records>,
      'malformed' | 'unreadable'
    >;
    const rows = (table: string): number => rowsOf(taken.versions.get(table) ?? []);
    return {
      files: { table: files.name, partitions: 1, rows: rows(files.name) },
      records: { table: records.name, partitions: 1, rows: rows(records.name) },
      malformed,
      unreadable,
    };
  }

  const kept = await keepFiles(options, context, delivered, partition);
  const headers = await Promise.all(
    kept.map(async ({ key }) => ({ key, header: await ports.sql.csvHeader(key, context) })),
  );
  const readable = headers.filter(({ header }) => isReadable(driftOf(source, header))).map(({ key }) => key);
  const imported = readable.length === 0 ? null : await importFiles(options, context, readable);

  const outputs = [
    filesPartition(files.name, partition, kept, imported),
    recordsPartition(records.name, partition, imported),
  ];
  const read = imported?.files.reduce((total, file) => total + file.records, 0) ?? 0;
  const malformed = imported?.files.reduce((total, file) => total + file.malformed, 0) ?? 0;
  const unreadable = headers.filter(({ key }) => !readable.includes(key)).map(({ key }) => key);
  context.stage({
    snapshot: taken.snapshot,
    outputs,
    sqlHash: null,
    contractHash,
    engine: ports.sql.name,
    rules: [],
    accounts: [
      { scope: records.name, partition: `${column}=${date}`, read, parts: { records: outputs[1]!.rows } },
    ],
    summary: { malformed, unreadable },
    slices: fingerprints([slice]),
    watermarks: [],
  });
  return {
    files: { table: files.name, partitions: 1, rows: outputs[0]!.rows },
    records: { table: records.name, partitions: 1, rows: outputs[1]!.rows },
    malformed,
    unreadable,
  };
}

function importFiles(
  { source, records }: IngestOptions<Contract, Contract>,
  context: TaskContext,
  keys: readonly string[],
): Promise<CsvJobResult> {
  return context.ports.sql.importCsv(
    {
      id: attemptId(context),
      sources: keys.map((key) => ({ key })),
      columns: sourceColumns(source).map(({ name }) => name),
      allowNewColumns: true,
      prefix: context.attemptPrefix(`raw/${records.name.replace('.', '/')}`),
    },
    { signal: context.signal, beat: (note) => context.beat(note) },
  );
}

function filesPartition(
  table: string,
  partition: PartitionValues,
  kept: readonly ObjectInfo[],
  imported: CsvJobResult | null,
): OutputPartition {
  const recordsOf = (key: string): number => imported?.files.find((file) => file.key === key)?.records ?? 0;
  const files = kept.map(({ key, bytes }) => ({ key, bytes, rows: recordsOf(key) }));
  return {
    table,
    partition,
    files,
    rows: files.reduce((total, { rows }) => total + rows, 0),
    bytes: files.reduce((total, { bytes }) => total + bytes, 0),
    columns: {},
    removed: false,
  };
}

function recordsPartition(
  table: string,
  partition: PartitionValues,
  imported: CsvJobResult | null,
): OutputPartition {
  const { files, rows, bytes, columns } = imported?.written ?? { files: [], rows: 0, bytes: 0, columns: {} };
  return { table, partition, files, rows, bytes, columns, removed: false };
}
