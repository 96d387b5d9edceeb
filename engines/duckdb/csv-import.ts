import type { Column } from '../../dag/relation.ts';
import type { CallOptions } from '../../ports/abortable.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectInfo, ObjectStore } from '../../ports/object-store.ts';
import type { CsvJob, CsvJobResult } from '../../ports/sql-engine.ts';
import { type CsvBlock, csvBlocks } from './csv-blocks.ts';
import { type CsvHeader, readHeader } from './csv-header.ts';
import { type CsvShape, blockStatement } from './csv-statement.ts';
import type { Database } from './database.ts';
import { OutputFiles, type OutputFolder } from './output-files.ts';
import { clearPrefix, writtenPartition } from './output-relations.ts';
import { Session } from './session.ts';
import { type CopiedFile, copiedFile } from './written-files.ts';

const largestBlockBytes = 16 << 20;
const smallestBlockBytes = 1 << 20;
const ownColumns = ['source_file', 'line_number', 'malformed', 'raw'];

interface Source {
  readonly key: string;
  readonly info: ObjectInfo;
  readonly header: CsvHeader;
}

interface Progress {
  bytes: number;
  records: number;
  malformed: number;
}

function list(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

function headerError(key: string, expected: string, found: readonly string[], remedy: string): never {
  throw new TerminalError({ expected, found: list(found), remedy, place: `${key}, line 1` });
}

function checkHeader(job: CsvJob, key: string, names: readonly string[]): void {
  const known = names.slice(0, job.columns.length);
  const extra = names.slice(job.columns.length);
  const expected = `the header ${list(job.columns)}${job.allowNewColumns ? ', with or without more columns behind' : ''}`;
  if (known.length < job.columns.length || known.some((name, at) => name !== job.columns[at]))
    headerError(key, expected, names, 'Correct the file, or the contract if the source has changed.');
  if (extra.length > 0 && !job.allowNewColumns)
    headerError(
      key,
      expected,
      names,
      'Allow new columns (drift mode evolve), or have them removed from the file.',
    );
  const seen = new Set([...job.columns, ...ownColumns].map((name) => name.toLowerCase()));
  for (const name of extra) {
    if (name === '' || seen.has(name.toLowerCase()))
      headerError(
        key,
        `new columns with names of their own, apart from ${list(ownColumns)}`,
        names,
        'Rename the column in the file.',
      );
    seen.add(name.toLowerCase());
  }
}

async function openSource(
  objects: ObjectStore,
  job: CsvJob,
  key: string,
  options: CallOptions,
): Promise<Source> {
  const info = await objects.head(key);
  const header = await readHeader(objects, key, options);
  if (info === null) throw changed(key, 'the file is gone');
  checkHeader(job, key, header.names);
  return { key, info, header };
}

function changed(key: string, found: string): TerminalError {
  return new TerminalError({
    expected: 'a file that stays as it is while it is read',
    found,
    remedy: 'Deliver files under a temporary name and rename them when they are complete, then run again.',
    place: key,
  });
}

async function checkUnchanged(objects: ObjectStore, source: Source, bytes: number): Promise<void> {
  const now = await objects.head(source.key);
  if (now === null) throw changed(source.key, 'the file is gone');
  const read = bytes + source.header.bytes;
  if (now.etag !== source.info.etag || read !== source.info.bytes)
    throw changed(source.key, `${source.info.bytes} bytes before, ${now.bytes} after, ${read} read`);
}

/** The blocks of all files one behind the other; taken by several sessions. */
async function* allBlocks(
  objects: ObjectStore,
  sources: readonly Source[],
  progress: readonly Progress[],
  sessions: number,
  options: CallOptions,
): AsyncGenerator<{ readonly at: number; readonly block: CsvBlock }> {
  for (const [at, source] of sources.entries()) {
    const counted = async function* () {
      for await (const chunk of objects.get(source.key, { ...options, from: source.header.bytes })) {
        progress[at]!.bytes += chunk.length;
        yield chunk;
      }
    };
    const blockBytes = Math.min(
      largestBlockBytes,
      Math.max(smallestBlockBytes, Math.ceil(source.info.bytes / sessions) + 1),
    );
    const shape = { blockBytes, fields: source.header.names.length, firstLine: source.header.firstLine };
    for await (const block of csvBlocks(counted(), shape)) {
      options.beat?.(`${source.key}: ${progress[at]!.bytes} of ${source.info.bytes} bytes`);
      yield { at, block };
    }
    await checkUnchanged(objects, source, progress[at]!.bytes);
  }
}

function malformedRows(file: CopiedFile): number {
  return file.rows - file.statistics('raw', 'text').nulls;
}

/** One connection's share: blocks become files until there are no more. */
async function writeBlocks(
  session: Session,
  blocks: AsyncGenerator<{ readonly at: number; readonly block: CsvBlock }>,
  shapes: readonly CsvShape[],
  progress: readonly Progress[],
  nextPath: () => string,
  kept: OutputFiles,
  under: OutputFolder,
): Promise<CopiedFile[]> {
  const files: CopiedFile[] = [];
  for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) {
    const { at, block } = next.value;
    const shape = shapes[at]!;
    const result = await session.run(
      {
        label: `records from line ${block.firstLine} of ${shape.sourceFile}`,
        sql: blockStatement(shape, block, nextPath()),
      },
      (prepared) => {
        prepared.bindBlob(1, block.plain);
        prepared.bindBigInt(2, BigInt(block.firstLine));
        if (block.odd.count > 0) prepared.bindBlob(3, block.odd.bytes);
        block.release();
      },
    );
    const written = (await result.getRowObjectsJson()).map(copiedFile);
    const rows = written.reduce((sum, file) => sum + file.rows, 0);
    if (rows !== block.records)
      throw new TerminalError({
        expected: `${block.records} records written`,
        found: `${rows}`,
        remedy: 'This is a defect of the CSV reader: keep the file and report it.',
        place: `${shape.sourceFile}, from line ${block.firstLine}`,
      });
    progress[at]!.records += rows;
    progress[at]!.malformed += written.reduce((sum, file) => sum + malformedRows(file), 0);
    files.push(...written);
    kept.keep(
      under,
      written.map((file) => file.path),
    );
  }
  return files;
}

/** All shares run to their end even when one fails, so that nothing goes on writing after the job has failed. */
async function allShares(shares: readonly Promise<CopiedFile[]>[]): Promise<CopiedFile[]> {
  const settled = await Promise.allSettled(shares);
  const failure = settled.find((share) => share.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return settled.flatMap((share) => (share.status === 'fulfilled' ? share.value : []));
}

function writtenColumns(columns: readonly string[]): Column[] {
  const text = (name: string, nullable = false): Column => ({ name, type: 'text', nullable });
  return [
    text('source_file'),
    { name: 'line_number', type: 'bigint', nullable: false },
    ...columns.map((name) => text(name)),
    { name: 'malformed', type: 'boolean', nullable: false },
    text('raw', true),
  ];
}

/**
 * Splits the files here, by the exact rules, and leaves fields, types and Parquet to SQL: lines without a quote go there
 * untouched, in blocks that several connections write at once.
 */
export async function importCsv(
  database: Database,
  objects: ObjectStore,
  job: CsvJob,
  options: CallOptions,
): Promise<CsvJobResult> {
  const startedAt = performance.now();
  const reserved = job.columns.filter((name) => ownColumns.includes(name.toLowerCase()));
  if (reserved.length > 0)
    throw new TerminalError({
      expected: `columns named other than ${list(ownColumns)}`,
      found: list(reserved),
      remedy: 'Rename them in the contract and the file.',
      place: job.id,
    });
  const sources: Source[] = [];
  for (const { key } of job.sources) sources.push(await openSource(objects, job, key, options));
  const columns = [...new Set([...job.columns, ...sources.flatMap((source) => source.header.names)])];
  const shapes = sources.map((source) => ({ sourceFile: source.key, header: source.header.names, columns }));
  const progress = sources.map((): Progress => ({ bytes: 0, records: 0, malformed: 0 }));

  await clearPrefix(objects, job.prefix);
  await using kept = new OutputFiles(objects, database.spillPath, options);
  const under = await kept.folder(job.prefix);
  let written = 0;
  const nextPath = () => `${under.path}/part-${String((written += 1)).padStart(5, '0')}.parquet`;
  const blocks = allBlocks(objects, sources, progress, database.threads, options);
  const share = async () => {
    using session = await Session.open(database, job.id, options);
    try {
      return await writeBlocks(session, blocks, shapes, progress, nextPath, kept, under);
    } catch (error) {
      await blocks.return(undefined);
      throw error;
    }
  };
  const files = await allShares(Array.from({ length: database.threads }, share));
  await kept.settled();
  return {
    written: writtenPartition(writtenColumns(columns), {}, files, under),
    files: sources.map(({ key, info, header }, at) => ({
      key,
      bytes: info.bytes,
      etag: info.etag,
      records: progress[at]!.records,
      malformed: progress[at]!.malformed,
      header: header.names,
    })),
    durationMs: Math.round(performance.now() - startedAt),
  };
}
