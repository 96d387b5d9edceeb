import type { TaskKind } from '../dag/builder.ts';
import { contractJson } from '../dag/contract.ts';
import type { Contract } from '../dag/contract.ts';
import type { Column } from '../dag/relation.ts';
import { TerminalError } from '../ports/errors.ts';
import { cast, sourceColumns, trimmed } from './casting.ts';
import { crawledFolder, crawlWith, rawFolder, type CrawledFolder } from './crawl-folder.ts';
import { driftOf, driftText, isDrifted, isReadable, schemaText } from './drift.ts';
import type { Drift } from './drift.ts';
import { attemptId } from './memory.ts';
import { hashOf } from './hashes.ts';
import type { PublishedOf } from './published.ts';
import { ownDate } from './selection.ts';
import { quoted } from './sql-text.ts';
import { filesOf, takeSnapshot } from './snapshots.ts';
import type { Taken } from './snapshots.ts';
import type { TaskContext } from './task-context.ts';

/**
 * What a crawl does about files that differ from the contract.
 * - `evolve`: a new column is registered, with a warning; a missing, moved or retyped one fails the task.
 * - `freeze`: any difference fails the task.
 * - `quarantine`: as `evolve`, but a file that lacks a column is set aside, with a warning, and the others are used.
 */
export type DriftMode = 'evolve' | 'freeze' | 'quarantine';

export interface FileDrift extends Drift {
  readonly file: string;
}

export interface CrawlReport {
  readonly partitions: number;
  readonly files: number;
  /** Files that differ from the contract, and how. */
  readonly drift: readonly FileDrift[];
  readonly setAside: readonly string[];
  /** Tables that a crawler made of the folder; absent where there is none, as on the embedded engine. */
  readonly crawled?: readonly CrawledFolder[];
}

export interface CrawlFilesOptions<Files extends Contract, Records extends Contract> {
  readonly source: Contract;
  readonly files: Files;
  readonly records: Records;
  /** `evolve` unless told. */
  readonly drift?: DriftMode;
}

/** The fewest values, and the smallest share of them, that must read as a column's type; fewer values are too few to judge by. */
const sample = { records: 10_000, atLeast: 100, share: 0.1 };

/**
 * A task that looks at the files of the run's raw partition before anything reads them: their headers, and whether a sample of each
 * column still reads as its declared type. Registers the tables with the columns found and reports the drift from the contract.
 */
export function crawlFiles<Files extends Contract, Records extends Contract>(
  options: CrawlFilesOptions<Files, Records>,
): TaskKind<
  { readonly files: PublishedOf<Files>; readonly records: PublishedOf<Records> },
  CrawlReport & { readonly records: PublishedOf<Records> },
  TaskContext
> {
  const { source, files, records, drift = 'evolve' } = options;
  return {
    name: 'crawl',
    facts: {
      kind: 'crawl',
      mode: drift,
      reads: [files.name, records.name].sort(),
      contractHash: hashOf(contractJson(source)),
    },
    summary: `${files.name} (${drift})`,
    run: async (input, context) => ({ ...(await crawl(options, drift, context)), records: input.records }),
  };
}

async function crawl(
  { source, files, records }: CrawlFilesOptions<Contract, Contract>,
  mode: DriftMode,
  context: TaskContext,
): Promise<CrawlReport> {
  const selection = ownDate(source.table.partitionBy[0]!);
  const taken = await takeSnapshot(
    context,
    [files, records].map((each) => ({ name: each.name, table: each.name, selection, role: 'input' })),
  );
  const found = taken.versions.get(files.name) ?? [];
  const keys = found.flatMap((version) => version.files.map(({ key }) => key));
  const crawled = await crawlFolders(source, keys, context);
  const headers = await Promise.all(
    keys.map(async (file) => ({ file, header: await context.ports.sql.csvHeader(file, context) })),
  );
  const drifts = headers.map(({ file, header }): FileDrift => ({ file, ...driftOf(source, header) }));
  const retyped = await retypedColumns(source, records, taken, context);
  const setAside =
    mode === 'quarantine' ? drifts.filter((drift) => !isReadable(drift)).map(({ file }) => file) : [];

  const failing = drifts.filter((drift) =>
    mode === 'freeze' ? isDrifted(drift) : !isReadable(drift) && !setAside.includes(drift.file),
  );
  if (failing.length > 0 || retyped.length > 0) throw driftError(source, mode, headers, failing, retyped);
  for (const drift of drifts.filter(isDrifted))
    context.log.warn(`Drift from the contract of ${source.name}: ${driftText(drift)}`, { file: drift.file });
  const added = [
    ...new Set(drifts.filter((drift) => !setAside.includes(drift.file)).flatMap((drift) => drift.added)),
  ];
  await registerFound([files, records], added, context);
  return {
    partitions: found.length,
    files: keys.length,
    drift: drifts.filter(isDrifted),
    setAside,
    ...(crawled === null ? {} : { crawled }),
  };
}

/** A crawler, where there is one, registers what it finds for readers from outside. It judges nothing: that its table differs is told, and the headers decide. */
async function crawlFolders(
  source: Contract,
  keys: readonly string[],
  context: TaskContext,
): Promise<readonly CrawledFolder[] | null> {
  const { crawler } = context.ports;
  const [first] = keys;
  if (crawler === undefined || first === undefined) return null;
  const tables = await crawlWith(crawler, rawFolder(first, source.table.partitionBy), context);
  const folders = tables.map((table) => crawledFolder(source, table));
  for (const { table, missing, added } of folders.filter(
    (each) => each.missing.length + each.added.length > 0,
  ))
    context.log.warn(
      `The crawler's table ${table} differs from the contract of ${source.name}: ${driftText({ missing, added, moved: [], retyped: [] })}`,
    );
  return folders;
}

async function registerFound(
  contracts: readonly Contract[],
  added: readonly string[],
  { ports }: TaskContext,
): Promise<void> {
  const known = await ports.ledger.tables();
  const tables = contracts.map(({ table }) => {
    const before = known.find(({ name }) => name === table.name)?.columns ?? [];
    const names = new Set(table.columns.map(({ name }) => name));
    const extra = [...before.map(({ name }) => name), ...added].filter((name) => !names.has(name));
    return {
      ...table,
      columns: [
        ...table.columns,
        ...[...new Set(extra)].map((name): Column => ({ name, type: 'text', nullable: true })),
      ],
    };
  });
  await ports.ledger.registerTables(tables);
}

/** CSV has no types: a column counts as retyped when hardly any of its values reads as the declared one. */
async function retypedColumns(
  source: Contract,
  records: Contract,
  { versions }: Taken,
  context: TaskContext,
): Promise<readonly string[]> {
  const columns = sourceColumns(source).filter(({ type }) => type !== 'text');
  if (columns.length === 0) return [];
  const value = ({ name }: Column): string => trimmed(quoted(name));
  const counts = columns.flatMap((column) => [
    `sum(case when ${value(column)} <> '' then 1 else 0 end) as given_${column.name}`,
    `sum(case when ${cast(value(column), column.type)} is not null then 1 else 0 end) as read_${column.name}`,
  ]);
  const result = await context.ports.sql.run(
    {
      id: attemptId(context),
      inputs: [
        {
          name: 'records',
          columns: records.table.columns,
          partitionBy: records.table.partitionBy,
          files: filesOf(versions.get(records.name) ?? []),
        },
      ],
      inline: [],
      steps: [],
      outputs: [],
      measures: [
        {
          name: 'types',
          sql: `select ${counts.join(', ')} from (select * from records where not malformed limit ${sample.records}) s`,
        },
      ],
    },
    { signal: context.signal, beat: (note) => context.beat(note) },
  );
  const row = result.measures['types']?.[0];
  return columns
    .filter(({ name }) => {
      const given = Number(row?.[`given_${name}`] ?? 0);
      return given >= sample.atLeast && Number(row?.[`read_${name}`] ?? 0) < given * sample.share;
    })
    .map(
      ({ name, type }) =>
        `${name} no longer reads as ${type} (${String(row?.[`read_${name}`])} of ${String(row?.[`given_${name}`])} sampled values do)`,
    );
}

function driftError(
  source: Contract,
  mode: DriftMode,
  headers: readonly { readonly file: string; readonly header: readonly string[] }[],
  failing: readonly FileDrift[],
  retyped: readonly string[],
): TerminalError {
  const files = failing.map((drift) => {
    const header = headers.find(({ file }) => file === drift.file)!.header;
    return `${drift.file} has the columns ${header.join(', ')} (${driftText(drift)})`;
  });
  return new TerminalError({
    place: source.name,
    expected: `files with the columns ${schemaText(sourceColumns(source))}`,
    found: [...files, ...retyped].join('; '),
    remedy: `Nothing after the raw zone was touched. Have the file delivered again, or change the contract (drift mode: ${mode}).`,
  });
}
