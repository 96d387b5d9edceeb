import { partitionText, partitionValues } from '../dag/relation.ts';
import type { PartitionValues, Table } from '../dag/relation.ts';
import type { Json, JsonObject } from '../dag/json.ts';
import type { OutputPartition, Snapshot, SnapshotPart } from '../ports/ledger.ts';
import type { PublishedSlice, SliceFingerprint } from '../ports/slices.ts';
import { hashOf } from './hashes.ts';
import { datesAround } from './selection.ts';
import type { Interval } from './selection.ts';
import type { TaskContext } from './task-context.ts';

/**
 * Says that a model computes dates independently: what it writes for a date depends only on the input partitions of the dates
 * within `reach` of it, whichever run computes it. Without this, all a run writes depends on all it reads.
 */
export interface SliceOption {
  /** Dates around the logical date that the model writes. */
  readonly days: readonly [first: number, last: number];
  /** The date of a partition of an input or output; null for one that belongs to every date. */
  readonly date: (partition: PartitionValues) => string | null;
  /** Days around a date whose input partitions it depends on. */
  readonly reach: readonly [first: number, last: number];
}

/** A slice as it is now: what it is made of, and the versions that are there of it. */
export interface Slice extends SliceFingerprint {
  readonly present: ReadonlyMap<string, number>;
}

export interface UnchangedSlice extends Slice {
  /** Of the publication that it is from. */
  readonly summary: JsonObject;
}

/** What a task is made of besides the versions it reads, at an interval. */
export type Recipe = (interval: Interval) => Json;

const nameOf = (table: string, partition: string): string => `${table}/${partition}`;

function present(snapshot: Snapshot, isOfSlice: (partition: string) => boolean): Map<string, number> {
  const found = new Map<string, number>();
  for (const { selector, role, versions } of snapshot.parts)
    if (role === 'output')
      for (const [partition, version] of Object.entries(versions))
        if (version !== null && isOfSlice(partition)) found.set(nameOf(selector.table, partition), version);
  return found;
}

function inputsOf(parts: readonly SnapshotPart[]): readonly SnapshotPart[] {
  return parts.filter(({ role }) => role === 'input');
}

function common({ params, build, dagId, taskId, ports }: TaskContext): JsonObject {
  return { dagId, taskId, params, build, engine: ports.sql.name };
}

/** All that a run writes as one slice, made of all that it reads. */
export function wholeSlice(
  context: TaskContext,
  { parts }: Snapshot,
  recipe: Recipe,
  more: Json = null,
): Slice {
  const { interval } = context;
  const inputs = inputsOf(parts).map(({ selector, versions }) => ({ selector, versions }));
  const owned = parts.filter(({ role }) => role === 'output').map(({ selector }) => selector);
  return {
    slice: `${interval.start}/${interval.end}`,
    fingerprint: hashOf({
      ...common(context),
      interval: { ...interval },
      recipe: recipe(interval),
      inputs: inputs as unknown as Json,
      owned: owned as unknown as Json,
      more,
    }),
    present: present({ parts }, () => true),
  };
}

function dayOf(date: string): Interval {
  const [next] = datesAround({ start: '', end: '', logicalDate: `${date}T00:00:00Z` }, 1, 1) as [string];
  const start = `${date}T00:00:00Z`;
  return { start, end: `${next}T00:00:00Z`, logicalDate: start };
}

/** One slice for each date that a run writes. What depends on the run's interval is taken at the date itself, so that every run gives it one fingerprint. */
export function dateSlices(
  context: TaskContext,
  snapshot: Snapshot,
  recipe: Recipe,
  { days, date, reach }: SliceOption,
): readonly Slice[] {
  const versions = inputsOf(snapshot.parts).flatMap(({ selector, versions: of }) =>
    Object.entries(of).flatMap(([partition, version]) =>
      version === null
        ? []
        : [{ date: date(partitionValues(partition)), name: nameOf(selector.table, partition), version }],
    ),
  );
  return datesAround(context.interval, ...days).map((slice) => {
    const day = dayOf(slice);
    const near = new Set(datesAround(day, ...reach));
    const inputs = versions.filter((each) => each.date === null || near.has(each.date));
    return {
      slice,
      fingerprint: hashOf({
        ...common(context),
        slice,
        reach,
        recipe: recipe(day),
        inputs: Object.fromEntries(inputs.map(({ name, version }) => [name, version])),
      }),
      present: present(snapshot, (partition) => date(partitionValues(partition)) === slice),
    };
  });
}

function isAsPublished(slice: Slice, published: PublishedSlice, option: SliceOption | null): boolean {
  if (slice.fingerprint !== published.fingerprint) return false;
  const ofSlice = published.outputs.filter(
    ({ partition }) => option === null || option.date(partitionValues(partition)) === slice.slice,
  );
  return (
    ofSlice.length === slice.present.size &&
    ofSlice.every(({ table, partition, version }) => slice.present.get(nameOf(table, partition)) === version)
  );
}

/**
 * Those of the slices that would come out as they are, if the run is to leave such alone: made of the same, and what the task published
 * of them is still what readers see. What cannot be told is not among them.
 */
export async function unchangedSlices(
  context: TaskContext,
  slices: readonly Slice[],
  option: SliceOption | null,
): Promise<readonly UnchangedSlice[]> {
  // Who took leases publishes: that ends them.
  if (!context.skipUnchanged || context.lease) return [];
  const { dagId, taskId, mapIndex, ports } = context;
  const published = await ports.ledger.publishedSlices(
    { dagId, taskId, mapIndex: mapIndex ?? -1 },
    slices.map(({ slice }) => slice),
  );
  const bySlice = new Map(published.map((each) => [each.slice, each]));
  return slices.flatMap((slice) => {
    const known = bySlice.get(slice.slice);
    return known !== undefined && isAsPublished(slice, known, option)
      ? [{ ...slice, summary: known.summary }]
      : [];
  });
}

/** Whether everything that is there of the outputs belongs to one of these slices, so that nothing is left to compute. */
export function coverAll(snapshot: Snapshot, slices: readonly Slice[]): boolean {
  const covered = new Set(slices.flatMap(({ present: of }) => [...of.keys()]));
  return present(snapshot, () => true)
    .keys()
    .every((name) => covered.has(name));
}

/** Outputs without those that are left as they are. */
export function changedOutputs(
  outputs: readonly OutputPartition[],
  tables: readonly Table[],
  unchanged: readonly string[],
  option: SliceOption | null,
): readonly OutputPartition[] {
  if (unchanged.length === 0 || option === null) return outputs;
  const left = new Set(unchanged);
  return outputs.filter((output) => {
    const table = tables.find(({ name }) => name === output.table)!;
    const date = option.date(partitionValues(partitionText(table, output.partition)));
    return date === null || !left.has(date);
  });
}

export const fingerprints = (slices: readonly Slice[]): readonly SliceFingerprint[] =>
  slices.map(({ slice, fingerprint }) => ({ slice, fingerprint }));

const namedPartitions = 500;

/** Tells the ledger, for `runs show` and the backfill, which partitions the task left as they were. */
export async function tellUnchanged(context: TaskContext, slices: readonly Slice[]): Promise<void> {
  if (slices.length === 0) return;
  const { run, taskId, mapIndex, attempt, ports } = context;
  const names = slices.flatMap(({ present: of }) => [...of.keys()]).sort();
  const task = mapIndex === null ? taskId : `${taskId}[${mapIndex}]`;
  context.log.info('Left unchanged partitions alone', { partitions: names.length });
  await ports.ledger.recordAttempts(
    run.id,
    [],
    [
      {
        key: `unchanged/${run.id}/${task}/${attempt}`,
        kind: 'left_unchanged',
        at: new Date().toISOString(),
        payload: { runId: run.id, task, partitions: names.length, named: names.slice(0, namedPartitions) },
      },
    ],
  );
}
