import type { Json } from '../dag/json.ts';
import type { Column } from '../dag/relation.ts';
import type { PartitionVersion } from '../ports/ledger.ts';
import type {
  InlineRelation,
  OutputRelation,
  SqlJob,
  SqlJobResult,
  WrittenPartition,
} from '../ports/sql-engine.ts';
import { chooseEngine } from './engine-choice.ts';
import { attemptId } from './memory.ts';
import { keepPrepared, recallPrepared, runPrepared, takenOf } from './prepared-model.ts';
import type { PreparedModel } from './prepared-model.ts';
import type { Published } from './published.ts';
import { quoted } from './sql-text.ts';
import { accountsOf, manifestSummary, outputPartitions } from './model-outputs.ts';
import { selectors } from './selection.ts';
import {
  changedOutputs,
  coverAll,
  dateSlices,
  fingerprints,
  tellUnchanged,
  unchangedSlices,
  wholeSlice,
} from './slices.ts';
import type { Recipe } from './slices.ts';
import { filesOf, rowsOf, takeSnapshot } from './snapshots.ts';
import type { Taken, Wanted } from './snapshots.ts';
import type { Model, Read, Write } from './sql-model.ts';
import type { TaskContext } from './task-context.ts';
import { verdicts } from './verdicts.ts';
import type { Verdict } from './verdicts.ts';

const summariesName = 'quality_summary';

function readNames(name: string, read: Read): readonly Omit<Wanted, 'role'>[] {
  const selections = typeof read.at === 'function' ? { [name]: read.at } : read.at;
  return Object.entries(selections).map(([relation, selection]) => ({
    name: relation,
    table: read.of.name,
    selection,
  }));
}

function allWrites(model: Model): readonly (readonly [string, Write])[] {
  const writes = Object.entries(model.writes);
  return model.summaries === null ? writes : [...writes, [summariesName, model.summaries]];
}

/** Runs a model once: snapshot, compute into the attempt's own files, hand over the manifest. */
export async function computeModel(
  model: Model,
  context: TaskContext,
): Promise<Readonly<Record<string, Published>>> {
  const writes = allWrites(model);
  const known = await recallPrepared(model, context);
  const preparing = known === null ? await prepare(model, context, writes) : null;
  if (preparing?.isUnchanged === true)
    return Object.fromEntries(
      writes.map(([name, { to }]) => [name, asItIs(to.name, preparing.taken.versions.get(name))]),
    );
  const prepared = known ?? (await keepPrepared(preparing!.prepared, context));
  const result = await runPrepared(prepared, context);
  const written = await stageResult(model, context, writes, prepared, result);
  context.log.info('Computed', {
    engine: result.engine,
    ...(prepared.choice.reason === null ? {} : { because: prepared.choice.reason }),
    durationMs: Math.round(result.durationMs),
    bytesScanned: result.bytesScanned,
    logicalDate: context.interval.logicalDate,
  });
  return Object.fromEntries(writes.map(([name, { to }]) => [name, published(to.name, written[name] ?? [])]));
}

type Writes = readonly (readonly [string, Write])[];

/** Takes the snapshot and decides what is to be computed, and where. */
async function prepare(
  model: Model,
  context: TaskContext,
  writes: Writes,
): Promise<
  | { readonly isUnchanged: true; readonly taken: Taken }
  | { readonly isUnchanged: false; readonly prepared: PreparedModel }
> {
  await context.ports.ledger.registerTables(writes.map(([, write]) => write.to.table));
  const taken = await takeSnapshot(context, [
    ...Object.entries(model.reads).flatMap(([name, read]) =>
      readNames(name, read).map((each) => ({ ...each, role: 'input' as const })),
    ),
    ...writes.map(([name, write]) => ({
      name,
      table: write.to.name,
      selection: write.owns,
      role: 'output' as const,
    })),
  ]);
  const { snapshot, versions } = taken;
  const recipe = recipeOf(model);
  const slices =
    model.slices === null
      ? [wholeSlice(context, snapshot, recipe)]
      : dateSlices(context, snapshot, recipe, model.slices);
  const unchanged = await unchangedSlices(context, slices, model.slices);
  await tellUnchanged(context, unchanged);
  if (unchanged.length === slices.length && coverAll(snapshot, unchanged))
    return { isUnchanged: true, taken };
  const left = unchanged.map(({ slice }) => slice);
  return {
    isUnchanged: false,
    prepared: {
      snapshot,
      versions: Object.fromEntries(versions),
      job: jobOf(model, context, taken),
      choice: chooseEngine(model.engine, inputBytes(model, taken), context.ports.cluster),
      slices: fingerprints(slices.filter(({ slice }) => !left.includes(slice))),
      unchanged: left,
      sqlHash: model.sqlHash,
      contractHash: model.contractHash,
    },
  };
}

function inputBytes(model: Model, { versions }: Taken): number {
  const names = Object.entries(model.reads).flatMap(([name, read]) =>
    readNames(name, read).map((relation) => relation.name),
  );
  const read = new Map(
    names.flatMap((name) => (versions.get(name) ?? []).map(({ version, bytes }) => [version, bytes])),
  );
  return read.values().reduce((total, bytes) => total + bytes, 0);
}

/** Hands over what was computed; answers the partitions written, by the name of their output. */
async function stageResult(
  model: Model,
  context: TaskContext,
  writes: Writes,
  prepared: PreparedModel,
  result: SqlJobResult,
): Promise<Readonly<Record<string, readonly WrittenPartition[]>>> {
  const taken = takenOf(prepared);
  const { snapshot, slices, unchanged, sqlHash, contractHash, choice } = prepared;
  const found = verdictsOf(model, taken, result);
  const written: Record<string, readonly WrittenPartition[]> = {
    ...result.outputs,
    [summariesName]: await writeSummaries(model, context, found),
  };
  const outputs = writes.flatMap(([name, write]) =>
    outputPartitions(name, write, written[name] ?? [], context, taken),
  );
  const tables = writes.map(([, write]) => write.to.table);
  context.stage({
    snapshot,
    outputs: changedOutputs(outputs, tables, unchanged, model.slices),
    slices,
    sqlHash,
    contractHash,
    engine: result.engine,
    ...(choice.reason === null ? {} : { engineReason: choice.reason }),
    rules: found.flatMap((verdict) => verdict.rules),
    accounts: accountsOf(model, taken, found, written),
    summary: manifestSummary(model, found),
    watermarks: [],
  });
  return written;
}

function asItIs(table: string, versions: readonly PartitionVersion[] = []): Published {
  return { table, partitions: versions.length, rows: rowsOf(versions) };
}

/** All that decides what a model computes, besides the rows it reads. */
function recipeOf(model: Model): Recipe {
  const { sqlHash, contractHash, checks, account } = model;
  return (interval) => ({
    sqlHash,
    contractHash,
    reads: Object.entries(model.reads).flatMap(([name, read]) =>
      readNames(name, read).map(({ name: relation, table, selection }) => ({
        relation,
        at: selectors(table, selection, interval) as unknown as Json,
      })),
    ),
    writes: allWrites(model).map(([name, { to, owns, evenIfEmpty = false }]) => ({
      name,
      owns: selectors(to.name, owns, interval) as unknown as Json,
      evenIfEmpty,
    })),
    inline: model.inline.map((each) =>
      typeof each === 'function' ? each(interval) : each,
    ) as unknown as Json,
    checks:
      checks === null
        ? null
        : { rows: checks.rows, by: checks.by, fates: checks.fates ?? null, counts: checks.counts ?? null },
    account: account as unknown as Json,
  });
}

function published(table: string, partitions: readonly WrittenPartition[]): Published {
  return {
    table,
    partitions: partitions.length,
    rows: partitions.reduce((total, { rows }) => total + rows, 0),
  };
}

function jobOf(model: Model, context: TaskContext, { versions }: Taken): SqlJob {
  const { interval } = context;
  return {
    id: attemptId(context),
    inputs: Object.entries(model.reads).flatMap(([name, read]) =>
      readNames(name, read).map((relation) => ({
        name: relation.name,
        columns: read.of.table.columns,
        partitionBy: read.of.table.partitionBy,
        files: filesOf(versions.get(relation.name) ?? []),
      })),
    ),
    inline: [
      runRelation(interval),
      ...model.inline.map((each) => (typeof each === 'function' ? each(interval) : each)),
    ],
    steps: model.steps,
    outputs: model.outputs.map(({ name, sql }) => outputRelation(name, sql, model.writes[name]!, context)),
    measures: model.measures,
  };
}

function runRelation({ start, end, logicalDate }: TaskContext['interval']): InlineRelation {
  const column = (name: string, type: Column['type']): Column => ({ name, type, nullable: false });
  const instant = (text: string): string => new Date(text).toISOString().replace('T', ' ').replace('Z', '');
  return {
    name: 'run',
    columns: [
      column('logical_date', 'date'),
      column('interval_start', 'timestamp'),
      column('interval_end', 'timestamp'),
    ],
    rows: [[new Date(logicalDate).toISOString().slice(0, 10), instant(start), instant(end)]],
  };
}

function outputRelation(name: string, select: string, write: Write, context: TaskContext): OutputRelation {
  const { table } = write.to;
  const [owned, ...more] = selectors(table.name, write.owns, context.interval);
  const isOne =
    owned !== undefined &&
    'values' in owned &&
    more.length === 0 &&
    table.partitionBy.length > 0 &&
    table.partitionBy.every((column) => owned.values[column] !== undefined);
  return {
    name,
    select,
    columns: table.columns,
    partitionBy: table.partitionBy,
    ...(isOne ? { partition: owned.values } : {}),
    prefix: context.attemptPrefix(`${table.zone}/${table.name.replace('.', '/')}`),
  };
}

function verdictsOf(model: Model, { versions }: Taken, result: SqlJobResult): readonly Verdict[] {
  const { checks } = model;
  if (checks === null) return [];
  const slices = new Set((versions.get(checks.rows) ?? []).map(({ partition }) => partition[checks.by]!));
  return verdicts(checks, [...slices].sort(), result.measures);
}

/** The summaries are a table like any other; their rows come from the measures, so they are written by a small job of their own. */
async function writeSummaries(
  model: Model,
  context: TaskContext,
  found: readonly Verdict[],
): Promise<readonly WrittenPartition[]> {
  const { summaries, checks } = model;
  if (summaries === null || checks === null || found.length === 0) return [];
  const columns: readonly Column[] = [
    { name: checks.by, type: 'date', nullable: false },
    { name: 'summary', type: 'text', nullable: false },
  ];
  const result = await context.ports.sql.run({
    id: `${attemptId(context)}/${summariesName}`,
    inputs: [],
    inline: [
      { name: 'found', columns, rows: found.map(({ slice, summary }) => [slice, JSON.stringify(summary)]) },
    ],
    steps: [],
    outputs: [
      outputRelation(summariesName, `select ${quoted(checks.by)}, summary from found`, summaries, context),
    ],
    measures: [],
  });
  return result.outputs[summariesName] ?? [];
}
