import { partitionText } from '../dag/relation.ts';
import type { JsonObject } from '../dag/json.ts';
import { TerminalError } from '../ports/errors.ts';
import type { Account, OutputPartition } from '../ports/ledger.ts';
import type { WrittenPartition } from '../ports/sql-engine.ts';
import { selectors } from './selection.ts';
import { rowsOf } from './snapshots.ts';
import type { Taken } from './snapshots.ts';
import type { Model, Write } from './sql-model.ts';
import type { TaskContext } from './task-context.ts';
import { accountOf, reasonCounts } from './verdicts.ts';
import type { Verdict } from './verdicts.ts';

/** What was computed, nothing for owned partitions that stay empty, and removal of those that were there before. */
export function outputPartitions(
  name: string,
  write: Write,
  written: readonly WrittenPartition[],
  context: TaskContext,
  taken: Taken,
): readonly OutputPartition[] {
  const { table } = write.to;
  const made = written.map((partition): OutputPartition => ({
    table: table.name,
    ...partition,
    removed: false,
  }));
  const texts = new Set(made.map(({ partition }) => partitionText(table, partition)));
  refuseForeign(name, write, made, context);
  const empty = (partition: OutputPartition['partition'], removed: boolean): OutputPartition => ({
    table: table.name,
    partition,
    files: [],
    rows: 0,
    bytes: 0,
    columns: {},
    removed,
  });
  const named = selectors(table.name, write.owns, context.interval).flatMap((selector) =>
    'values' in selector ? [selector.values] : [],
  );
  const kept =
    write.evenIfEmpty === true ? named.filter((values) => !texts.has(partitionText(table, values))) : [];
  const keptTexts = new Set(kept.map((values) => partitionText(table, values)));
  const gone = (taken.versions.get(name) ?? []).filter(
    ({ partitionText: text }) => !texts.has(text) && !keptTexts.has(text),
  );
  return [
    ...made,
    ...kept.map((values) => empty(values, false)),
    ...gone.map(({ partition }) => empty(partition, true)),
  ];
}

/** A model that writes where it has no say would be undone, or undo others, at every other run. */
function refuseForeign(
  name: string,
  write: Write,
  made: readonly OutputPartition[],
  context: TaskContext,
): void {
  const owned = selectors(write.to.name, write.owns, context.interval);
  const foreign = made.filter(
    ({ partition }) =>
      !owned.some((selector) =>
        'values' in selector
          ? Object.entries(selector.values).every(([column, value]) => partition[column] === value)
          : Object.entries(selector.where).every(([column, values]) =>
              values.includes(partition[column] ?? ''),
            ),
      ),
  );
  if (foreign.length === 0) return;
  throw new TerminalError({
    place: `${context.dagId}.${context.taskId}, output ${name}`,
    expected: 'rows of the partitions the model owns',
    found: `rows for ${foreign
      .slice(0, 5)
      .map(({ partition }) => partitionText(write.to.table, partition))
      .join(', ')}${foreign.length > 5 ? ' and more' : ''}`,
    remedy: 'Filter the select, or widen `owns` in the pipeline.',
  });
}

export function accountsOf(
  model: Model,
  { versions }: Taken,
  found: readonly Verdict[],
  written: Readonly<Record<string, readonly WrittenPartition[]>>,
): readonly Account[] {
  const { account } = model;
  if (account === null) return [];
  const { scope, by, parts } = account;
  const inputs = versions.get(account.read) ?? [];
  const slices = [...new Set(inputs.map(({ partition }) => partition[by]!))].sort();
  return slices.map((slice) => {
    const rows = (output: string): number =>
      (written[output] ?? [])
        .filter(({ partition }) => partition[by] === slice)
        .reduce((total, { rows: count }) => total + count, 0);
    const counted = Object.fromEntries(Object.entries(parts).map(([part, output]) => [part, rows(output)]));
    const verdict = found.find((each) => each.slice === slice);
    const read = rowsOf(inputs.filter(({ partition }) => partition[by] === slice));
    return verdict === undefined
      ? { scope, partition: `${by}=${slice}`, read, parts: counted }
      : accountOf(scope, by, verdict, read, counted);
  });
}

export function manifestSummary(model: Model, found: readonly Verdict[]): JsonObject {
  if (model.checks === null) return {};
  const { by } = model.checks;
  return Object.fromEntries(
    found.map((verdict) => [
      `${by}=${verdict.slice}`,
      { quality: verdict.summary, quarantined: reasonCounts(verdict) },
    ]),
  );
}
