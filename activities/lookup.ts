import type { TaskKind } from '../dag/builder.ts';
import { contractJson } from '../dag/contract.ts';
import type { Contract } from '../dag/contract.ts';
import { partitionText } from '../dag/relation.ts';
import { TerminalError } from '../ports/errors.ts';
import type { CsvJobResult } from '../ports/sql-engine.ts';
import { csvRecord, csvRows } from './csv-text.ts';
import { attemptId } from './memory.ts';
import { hashOf, hashOfText } from './hashes.ts';
import type { PublishedOf } from './published.ts';
import type { Selection } from './selection.ts';
import { selectors } from './selection.ts';
import { fingerprints, tellUnchanged, unchangedSlices, wholeSlice } from './slices.ts';
import { filesOf, rowsOf, takeSnapshot } from './snapshots.ts';
import { sqlFile, withViews } from './sql-files.ts';
import type { NamedSql } from './sql-files.ts';
import type { TaskContext } from './task-context.ts';

export interface LookupOptions<From extends Contract, To extends Contract> {
  readonly folder: URL;
  /** File of the select of one column, the distinct texts to look up. */
  readonly texts: string;
  readonly views?: readonly NamedSql[];
  readonly from: From;
  /** Name by which the select reads `from`, and the partitions it reads. */
  readonly as: string;
  readonly at: Selection;
  readonly to: To;
  /** The one partition that is written. */
  readonly owns: Selection;
  /** Names the functions for the model's hash: change it when one of them changes what it gives. */
  readonly version: string;
  /** One text column of `to` each, after `text`; an empty text where there is no value. */
  readonly columns: Readonly<Record<string, (text: string) => string>>;
}

/**
 * A task that works out in TypeScript what SQL engines disagree on (Unicode normalisation, case), once per distinct text, and publishes the answers as a table
 * that models join. Streams, so the number of texts does not matter.
 */
export function lookup<From extends Contract, To extends Contract>(
  options: LookupOptions<From, To>,
): TaskKind<PublishedOf<From>, PublishedOf<To>, TaskContext> {
  const select = withViews(sqlFile(options.folder, options.texts).sql, options.views ?? []);
  const sqlHash = hashOfText(`${select}\n${options.version}\n${Object.keys(options.columns).join(',')}`);
  const contractHash = hashOf(contractJson(options.to));
  return {
    name: 'lookup',
    facts: { kind: 'lookup', reads: [options.from.name], writes: [options.to.name], sqlHash, contractHash },
    summary: `${options.from.name} → ${options.to.name}`,
    heartbeatMs: 30_000,
    run: (_, context) => lookUp(options, { select, sqlHash, contractHash }, context),
  };
}

interface Prepared {
  readonly select: string;
  readonly sqlHash: string;
  readonly contractHash: string;
}

async function lookUp<To extends Contract>(
  options: LookupOptions<Contract, To>,
  { select, sqlHash, contractHash }: Prepared,
  context: TaskContext,
): Promise<PublishedOf<To>> {
  const { from, to } = options;
  const { ports } = context;
  await ports.ledger.registerTables([to.table]);
  const taken = await takeSnapshot(context, [
    { name: 'from', table: from.name, selection: options.at, role: 'input' },
    { name: 'to', table: to.name, selection: options.owns, role: 'output' },
  ]);
  const slice = wholeSlice(context, taken.snapshot, () => ({
    sqlHash,
    contractHash,
    from: contractJson(from),
    functions: Object.entries(options.columns).map(([name, answer]) => [name, String(answer)]),
  }));
  const unchanged = await unchangedSlices(context, [slice], null);
  if (unchanged.length > 0) {
    await tellUnchanged(context, unchanged);
    return { table: to.name, partitions: 1, rows: rowsOf(taken.versions.get('to') ?? []) };
  }
  const { columns, partitionBy } = from.table;
  const inputs = [
    { name: options.as, columns, partitionBy, files: filesOf(taken.versions.get('from') ?? []) },
  ];
  const call = { signal: context.signal, beat: (note?: string) => context.beat(note) };
  const prefix = context.attemptPrefix(`${to.table.zone}/${to.name.replace('.', '/')}`);
  const count = { texts: 0 };
  const file = await ports.objects.put(
    `${prefix}texts.csv`,
    answers(options, ports.sql.exportCsv(select, inputs, call), count),
    call,
  );
  const imported = await importAnswers(options, file!.key, prefix, context);
  refuseLoss(options, imported, count.texts);
  const [selector] = selectors(to.name, options.owns, context.interval);
  if (selector === undefined || !('values' in selector))
    throw new RangeError(`Expected ${to.name} to own one partition by value. Use ownDate or eachDate.`);
  await ports.objects.remove([file!.key]);
  const { files, rows, bytes, columns: statistics } = imported.written;
  context.stage({
    snapshot: taken.snapshot,
    outputs: [
      { table: to.name, partition: selector.values, files, rows, bytes, columns: statistics, removed: false },
    ],
    slices: fingerprints([slice]),
    sqlHash,
    contractHash,
    engine: ports.sql.name,
    rules: [],
    accounts: [
      {
        scope: to.name,
        partition: partitionText(to.table, selector.values),
        read: count.texts,
        parts: { texts: rows },
      },
    ],
    summary: {},
    watermarks: [],
  });
  return { table: to.name, partitions: 1, rows };
}

async function* answers(
  { columns }: LookupOptions<Contract, Contract>,
  texts: AsyncIterable<Uint8Array>,
  count: { texts: number },
): AsyncIterable<Uint8Array> {
  const functions = Object.values(columns);
  const encoder = new TextEncoder();
  let chunk = csvRecord(['text', ...Object.keys(columns)]);
  for await (const [text] of csvRows(texts)) {
    if (text === undefined || text === null) continue;
    count.texts++;
    chunk += csvRecord([text, ...functions.map((answer) => answer(text))]);
    if (chunk.length < 1 << 18) continue;
    yield encoder.encode(chunk);
    chunk = '';
  }
  yield encoder.encode(chunk);
}

function importAnswers(
  { columns }: LookupOptions<Contract, Contract>,
  key: string,
  prefix: string,
  context: TaskContext,
): Promise<CsvJobResult> {
  const { ports } = context;
  return ports.sql.importCsv(
    {
      id: attemptId(context),
      sources: [{ key }],
      columns: ['text', ...Object.keys(columns)],
      allowNewColumns: false,
      prefix: `${prefix}rows/`,
    },
    { signal: context.signal, beat: (note) => context.beat(note) },
  );
}

function refuseLoss(
  { to }: LookupOptions<Contract, Contract>,
  { files, written }: CsvJobResult,
  texts: number,
): void {
  const malformed = files.reduce((total, file) => total + file.malformed, 0);
  if (malformed === 0 && written.rows === texts) return;
  throw new TerminalError({
    place: to.name,
    expected: `${texts} texts to come back as they were written`,
    found: `${written.rows}, ${malformed} of them malformed`,
    remedy: 'Leave over-long texts out of the select.',
  });
}
