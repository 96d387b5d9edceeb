import { contractJson } from '../dag/contract.ts';
import type { Contract } from '../dag/contract.ts';
import type { TaskKind } from '../dag/builder.ts';
import type { JsonObject } from '../dag/json.ts';
import type { InlineRelation } from '../ports/sql-engine.ts';
import { hashOf, hashOfText } from './hashes.ts';
import { computeModel } from './compute-model.ts';
import type { PublishedOf } from './published.ts';
import { checkMeasures, checkSteps, checkViews } from './checks.ts';
import type { Checks } from './checks.ts';
import type { Selection } from './selection.ts';
import type { SliceOption } from './slices.ts';
import { sqlFile, withViews } from './sql-files.ts';
import type { NamedSql } from './sql-files.ts';
import type { EnginePreference, TaskContext } from './task-context.ts';

/** Partitions of a table under the names by which the model's SQL reads them. */
export interface Read<C extends Contract = Contract> {
  readonly of: C;
  /** One selection, read by the name of the input, or several by names of their own. */
  readonly at: Selection | Readonly<Record<string, Selection>>;
}

export interface Write<C extends Contract = Contract> {
  readonly to: C;
  /** The partitions that are this model's to compute. One that was published and does not come out again is removed. */
  readonly owns: Selection;
  /** Publishes the owned partitions that are named by value even when they have no rows. */
  readonly evenIfEmpty?: boolean;
}

/** Rows read according to the ledger against rows accounted for; the run fails where they differ. */
export interface AccountOption {
  /** Accounts are listed under this name. */
  readonly scope: string;
  /** The relation whose rows are to be accounted for, and the column whose values are the accounts. */
  readonly read: string;
  readonly by: string;
  /** Outputs that hold the rows. With checks, the rows dropped beforehand are added by their fates. */
  readonly parts: Readonly<Record<string, string>>;
}

export interface SqlModelOptions<Reads extends Record<string, Read>, Writes extends Record<string, Write>> {
  /** Folder of the `.sql` files: one for each step and each output, of that name. */
  readonly folder: URL;
  readonly reads: Reads;
  readonly writes: Writes;
  /** Written down once, in this order: names of files, or SQL derived from a contract. */
  readonly steps?: readonly (string | NamedSql)[];
  /** Text that files may name like a relation: names of files, or SQL derived from a contract. */
  readonly views?: readonly (string | NamedSql)[];
  /** Small constant relations. */
  readonly inline?: readonly (InlineRelation | ((interval: TaskContext['interval']) => InlineRelation))[];
  readonly checks?: Checks;
  /** Table of quality summaries, one row of JSON per slice of the checks. Owns what the accepting output owns. */
  readonly summaries?: Write;
  readonly account?: AccountOption;
  /** Lets `--skip-unchanged` tell date from date. */
  readonly slices?: SliceOption;
  /** Where it computes if there is a cluster beside the worker; the configuration's choice unless told. */
  readonly engine?: EnginePreference;
}

type InputOf<Reads extends Record<string, Read>> = {
  readonly [Name in keyof Reads]: PublishedOf<Reads[Name]['of']>;
};
type OutputOf<Writes extends Record<string, Write>> = {
  readonly [Name in keyof Writes]: PublishedOf<Writes[Name]['to']>;
};

/** A model with its files read and its hashes taken: what an attempt computes from. */
export interface Model {
  readonly reads: Readonly<Record<string, Read>>;
  readonly writes: Readonly<Record<string, Write>>;
  readonly steps: readonly NamedSql[];
  readonly outputs: readonly NamedSql[];
  readonly measures: readonly NamedSql[];
  readonly inline: NonNullable<SqlModelOptions<Record<string, Read>, Record<string, Write>>['inline']>;
  readonly checks: Checks | null;
  readonly summaries: Write | null;
  readonly account: AccountOption | null;
  readonly slices: SliceOption | null;
  readonly engine: EnginePreference | null;
  /** Every select as it was written. */
  readonly selects: readonly NamedSql[];
  readonly sqlHash: string;
  readonly contractHash: string;
}

/**
 * A task that computes tables with SQL. Every `.sql` file is one select over plain names: the inputs, the steps before it, the constant relations, and
 * `run(logical_date, interval_start, interval_end)`. Inputs and owned outputs are taken in one snapshot; what is
 * computed is published after the attempt, and only if the snapshot still holds.
 */
export function sqlModel<
  const Reads extends Record<string, Read>,
  const Writes extends Record<string, Write>,
>(options: SqlModelOptions<Reads, Writes>): TaskKind<InputOf<Reads>, OutputOf<Writes>, TaskContext> {
  const model = readModel(options as unknown as SqlModelOptions<Record<string, Read>, Record<string, Write>>);
  return {
    name: 'sql_model',
    facts: factsOf(model),
    summary: `${tablesOf(model.reads, (read) => read.of)} → ${tablesOf(model.writes, (write) => write.to)}`,
    heartbeatMs: 30_000,
    selects: model.engine === 'duckdb' ? [] : model.selects,
    run: async (_, context) => (await computeModel(model, context)) as OutputOf<Writes>,
  };
}

function readModel(options: SqlModelOptions<Record<string, Read>, Record<string, Write>>): Model {
  const { folder, reads, writes, checks, inline = [] } = options;
  const named = (part: string | NamedSql): NamedSql =>
    typeof part === 'string' ? sqlFile(folder, part) : part;
  const views = [...(options.views ?? []).map(named), ...(checks === undefined ? [] : checkViews(checks))];
  const bound = ({ name, sql }: NamedSql): NamedSql => ({ name, sql: withViews(sql, views) });
  const written = {
    steps: [...(options.steps ?? []).map(named), ...(checks === undefined ? [] : checkSteps(checks))],
    outputs: Object.keys(writes).map((name) => sqlFile(folder, name)),
    measures: checks === undefined ? [] : checkMeasures(checks),
  };
  const steps = written.steps.map(bound);
  const outputs = written.outputs.map(bound);
  const measures = written.measures.map(bound);
  const contracts = [
    ...Object.values(reads).map((read) => read.of),
    ...Object.values(writes).map((write) => write.to),
    ...(checks === undefined ? [] : [checks.contract]),
  ];
  const constants = inline.filter((each) => typeof each !== 'function');
  return {
    reads,
    writes,
    steps,
    outputs,
    measures,
    inline,
    checks: checks ?? null,
    summaries: options.summaries ?? null,
    account: options.account ?? null,
    slices: options.slices ?? null,
    engine: options.engine ?? null,
    selects: [...views, ...written.steps, ...written.outputs, ...written.measures],
    sqlHash: hashOf({
      steps: texts(steps),
      outputs: texts(outputs),
      measures: texts(measures),
      constants: constants as unknown as JsonObject[],
    }),
    contractHash: hashOf(contracts.map(contractJson)),
  };
}

function texts(parts: readonly NamedSql[]): readonly JsonObject[] {
  return parts.map(({ name, sql }) => ({ name, sql: hashOfText(sql) }));
}

function tablesOf<T>(parts: Readonly<Record<string, T>>, contract: (part: T) => Contract): string {
  return Object.values(parts)
    .map((part) => contract(part).name)
    .join(', ');
}

function factsOf(model: Model): JsonObject {
  return {
    kind: 'sql_model',
    reads: Object.values(model.reads)
      .map((read) => read.of.name)
      .sort(),
    writes: [...Object.values(model.writes), ...(model.summaries === null ? [] : [model.summaries])]
      .map((write) => write.to.name)
      .sort(),
    sqlHash: model.sqlHash,
    contractHash: model.contractHash,
    ...(model.engine === null ? {} : { engine: model.engine }),
  };
}
