import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column, PartitionValues } from '../../dag/relation.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { ColumnStatistics, OutputRelation, WrittenPartition } from '../../ports/sql-engine.ts';
import { mergeStatistics } from './column-statistics.ts';
import { losslessCast } from './lossless-cast.ts';
import { keyOf, type OutputFiles, type OutputFolder } from './output-files.ts';
import type { DescribedColumn, Session } from './session.ts';
import { duckdbType, fileLiteral, identifier, literal, selectText } from './sql-text.ts';
import { elsewhereMark, RowElsewhere } from './statement-errors.ts';
import { type CopiedFile, copiedFile } from './written-files.ts';

/** Removes what an earlier attempt under the same prefix left behind. */
export async function clearPrefix(objects: ObjectStore, prefix: string): Promise<void> {
  let keys: string[] = [];
  for await (const object of objects.list(prefix.endsWith('/') ? prefix : `${prefix}/`)) {
    keys.push(object.key);
    if (keys.length === 1000) await objects.remove(keys.splice(0));
  }
  await objects.remove(keys);
  keys = [];
}

function checkColumns(output: OutputRelation, found: readonly DescribedColumn[], place: string): void {
  const declared = output.columns.map((column) => column.name);
  const yielded = found.map((column) => column.name);
  const missing = declared.filter((name) => !yielded.includes(name));
  const extra = yielded.filter((name) => !declared.includes(name));
  const undeclared = output.partitionBy.filter((name) => !declared.includes(name));
  if (missing.length + extra.length + undeclared.length === 0 && new Set(yielded).size === yielded.length)
    return;
  throw new TerminalError({
    expected: `columns ${declared.join(', ')}${output.partitionBy.length === 0 ? '' : ` with partition columns ${output.partitionBy.join(', ')} among them`}`,
    found: yielded.join(', '),
    remedy: 'Make the select and the contract agree.',
    place: `${place}, output ${output.name}`,
  });
}

type Casts = ReadonlyMap<string, string>;

/** Each declared column as an expression over the select's. */
function casts(output: OutputRelation, found: readonly DescribedColumn[]): Casts {
  const types = new Map(found.map((column) => [column.name, column.type]));
  return new Map(
    output.columns.map(({ name, type }) => [
      name,
      losslessCast(identifier(name), types.get(name)!, type, name),
    ]),
  );
}

function copyStatement(select: string, columns: Casts, path: string, layout: string): string {
  const list = [...columns].map(([name, value]) => `${value} AS ${identifier(name)}`).join(', ');
  return `COPY (SELECT ${list} FROM (\n${selectText(select)}\n)) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, RETURN_STATS, ${layout})`;
}

/** All rows as they come, or one folder for each partition of theirs. */
function wholeStatement(output: OutputRelation, columns: Casts, path: string, maxFileBytes: number): string {
  const layout =
    output.partitionBy.length === 0
      ? `FILE_SIZE_BYTES ${maxFileBytes}`
      : `PARTITION_BY (${output.partitionBy.map(identifier).join(', ')}), WRITE_PARTITION_COLUMNS false`;
  return copyStatement(output.select, columns, path, layout);
}

/**
 * Rows of one partition, which need not be divided: that costs a copy of each. A row of another raises `elsewhereMark`, in the value of
 * a column, for a condition could be asked about rows that the select leaves out.
 */
function onePartitionStatement(
  output: OutputRelation,
  partition: PartitionValues,
  columns: Casts,
  path: string,
  maxFileBytes: number,
): string {
  const types = new Map(output.columns.map(({ name, type }) => [name, duckdbType(type)]));
  const isHere = output.partitionBy
    .map((name) => {
      const text = literal(partition[name]!);
      const value = `TRY_CAST(${text} AS ${types.get(name)})`;
      return `${columns.get(name)} = ${value} AND CAST(${value} AS VARCHAR) = ${text}`;
    })
    .join(' AND ');
  const [[first, value], ...rest] = [...columns].filter(([name]) => !output.partitionBy.includes(name)) as [
    [string, string],
    ...[string, string][],
  ];
  const checked = `CASE WHEN ${isHere} THEN ${value} ELSE error(${literal(elsewhereMark)}) END`;
  return copyStatement(
    output.select,
    new Map([[first, checked], ...rest]),
    path,
    `FILE_SIZE_BYTES ${maxFileBytes}`,
  );
}

function partitionOf(output: OutputRelation, file: CopiedFile, place: string): PartitionValues {
  return Object.fromEntries(
    output.partitionBy.map((column) => {
      const value = file.partition.get(column) ?? null;
      if (value !== null) return [column, value];
      throw new TerminalError({
        expected: `a value of partition column ${column} in every row`,
        found: 'null',
        remedy: 'Filter or fill the rows without one in the SQL.',
        place: `${place}, output ${output.name}`,
      });
    }),
  );
}

function columnStatistics(
  column: Column,
  partition: PartitionValues,
  files: readonly CopiedFile[],
): ColumnStatistics {
  const constant = partition[column.name];
  if (constant !== undefined) return { nulls: 0, min: constant, max: constant };
  return mergeStatistics(
    column.type,
    files.map((file) => file.statistics(column.name, column.type)),
  );
}

/** What the ledger is told about one partition's files. */
export function writtenPartition(
  columns: readonly Column[],
  partition: PartitionValues,
  files: readonly CopiedFile[],
  under: OutputFolder,
): WrittenPartition {
  return {
    partition,
    files: files
      .map((file) => ({
        key: keyOf(file.path, under),
        bytes: file.bytes,
        rows: file.rows,
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    columns: Object.fromEntries(
      columns.map((column) => [column.name, columnStatistics(column, partition, files)]),
    ),
  };
}

function checkNulls(output: OutputRelation, written: WrittenPartition, place: string): void {
  for (const column of output.columns) {
    const nulls = written.columns[column.name]?.nulls ?? 0;
    if (column.nullable || nulls === 0 || column.type === 'text[]') continue;
    throw new TerminalError({
      expected: `no null in ${column.name}`,
      found: `${nulls} nulls in ${JSON.stringify(written.partition)}`,
      remedy: 'Filter or fill them in the SQL, or declare the column nullable.',
      place: `${place}, output ${output.name}`,
    });
  }
}

/** COPY cannot bound files and divide them by partition at once: one that came out far too large is written again, in pieces. */
async function boundedFiles(
  session: Session,
  files: readonly CopiedFile[],
  output: OutputRelation,
  maxFileBytes: number,
): Promise<readonly CopiedFile[]> {
  if (output.partitionBy.length === 0) return files;
  const bounded: CopiedFile[] = [];
  for (const file of files) {
    if (file.bytes <= 1.5 * maxFileBytes) {
      bounded.push(file);
      continue;
    }
    const folder = file.path.replace(/\.parquet$/, '');
    await mkdir(folder, { recursive: true });
    const source = `SELECT * FROM read_parquet(${fileLiteral(file.path)}, hive_partitioning = false)`;
    const sql = `COPY (${source}) TO ${literal(folder)} (FORMAT parquet, COMPRESSION snappy, RETURN_STATS, FILE_SIZE_BYTES ${maxFileBytes})`;
    const pieces = await session.rows({ label: `output ${output.name}`, sql });
    await rm(file.path);
    bounded.push(...pieces.map((piece) => ({ ...copiedFile(piece), partition: file.partition })));
  }
  return bounded;
}

/** The files of an output whose rows are all of one partition; null when that turns out not to be so. */
async function copyOnePartition(
  session: Session,
  output: OutputRelation,
  partition: PartitionValues,
  columns: Casts,
  under: OutputFolder,
  maxFileBytes: number,
): Promise<readonly CopiedFile[] | null> {
  const folders = output.partitionBy.map((name) => `${name}=${encodeURIComponent(partition[name]!)}`);
  const path = join(under.path, ...folders);
  const removed = () => rm(join(under.path, folders[0]!), { recursive: true });
  await mkdir(path, { recursive: true });
  try {
    const files = (
      await session.rows({
        label: `output ${output.name}`,
        sql: onePartitionStatement(output, partition, columns, path, maxFileBytes),
        authored: selectText(output.select),
      })
    ).map(copiedFile);
    if (files.some(({ rows }) => rows > 0))
      return files.map((file) => ({ ...file, partition: new Map(Object.entries(partition)) }));
    await removed();
    return [];
  } catch (error) {
    if (!(error instanceof RowElsewhere)) throw error;
    await removed();
    return null;
  }
}

/** Writes one output and says what stands where; rows of a partition are in its own folder. Its files will last once `files` has settled. */
export async function writeOutput(
  session: Session,
  output: OutputRelation,
  files: OutputFiles,
  maxFileBytes: number,
  place: string,
): Promise<readonly WrittenPartition[]> {
  const label = `output ${output.name}`;
  const authored = selectText(output.select);
  const found = await session.describe({ label, sql: authored, authored });
  checkColumns(output, found, place);
  const under = await files.folder(output.prefix);
  const columns = casts(output, found);
  const { partition } = output;
  const undivided =
    partition === undefined || output.columns.length === output.partitionBy.length
      ? null
      : await copyOnePartition(session, output, partition, columns, under, maxFileBytes);
  const whole = async () => {
    const sql = wholeStatement(output, columns, under.path, maxFileBytes);
    return (await session.rows({ label, sql, authored })).map(copiedFile);
  };
  const copied = await boundedFiles(session, undivided ?? (await whole()), output, maxFileBytes);
  files.keep(
    under,
    copied.map((file) => file.path),
  );
  const groups = Map.groupBy(copied, (file) => JSON.stringify(partitionOf(output, file, place)));
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([text, group]) => {
      const values = JSON.parse(text) as PartitionValues;
      const written = writtenPartition(output.columns, values, group, under);
      checkNulls(output, written, place);
      return written;
    });
}
