import type { Json, JsonObject } from './json.ts';

/**
 * One field of many records: the same value for all; whole numbers, each as its distance from the one before; values
 * that recur, each as its place among the distinct ones; or the values as they are.
 */
type Column =
  | { readonly same: Json }
  | { readonly steps: readonly number[] }
  | { readonly distinct: readonly Json[]; readonly at: readonly number[] }
  | { readonly values: readonly Json[] };

/** Records that have the same fields. `places` are their places in the list, as {@link Column} steps. */
interface Shape {
  readonly places: readonly number[];
  readonly fields: readonly string[];
  readonly columns: readonly Column[];
}

/** A list of similar records, field by field: a fraction of its length as JSON text. */
export type Columns = readonly Shape[];

/** Packs a list of records so that {@link unpackRecords} gives the same back. */
export function packRecords(records: readonly JsonObject[]): Columns {
  const shapes = Map.groupBy(
    records.map((record, place) => ({ record, place })),
    ({ record }) => JSON.stringify(Object.keys(record)),
  );
  return [...shapes].map(([key, members]) => {
    const fields = JSON.parse(key) as string[];
    return {
      places: stepsOf(members.map(({ place }) => place)),
      fields,
      columns: fields.map((field) => packColumn(members.map(({ record }) => record[field]!))),
    };
  });
}

export function unpackRecords(packed: Columns): JsonObject[] {
  const records: JsonObject[] = [];
  for (const { places, fields, columns } of packed) {
    const at = sumsOf(places);
    const values = columns.map((column) => unpackColumn(column, at.length));
    at.forEach((place, nth) => {
      records[place] = Object.fromEntries(fields.map((field, index) => [field, values[index]![nth]!]));
    });
  }
  return records;
}

function packColumn(values: readonly Json[]): Column {
  const first = identityOf(values[0]!);
  if (values.every((value) => identityOf(value) === first)) return { same: values[0]! };
  if (values.every(isWhole)) {
    const steps = stepsOf(values);
    if (steps.every(isWhole)) return { steps };
  }
  const places = new Map<unknown, number>();
  const distinct: Json[] = [];
  const at = values.map((value) => {
    const identity = identityOf(value);
    const known = places.get(identity);
    if (known !== undefined) return known;
    places.set(identity, distinct.length);
    return distinct.push(value) - 1;
  });
  return 2 * distinct.length > values.length ? { values } : { distinct, at };
}

function isWhole(value: Json): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/** The same for equal values only. */
function identityOf(value: Json): unknown {
  if (typeof value === 'string') return `"${value}`;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

function unpackColumn(column: Column, length: number): readonly Json[] {
  if ('same' in column) return Array.from({ length }, () => column.same);
  if ('steps' in column) return sumsOf(column.steps);
  if ('distinct' in column) return column.at.map((place) => column.distinct[place]!);
  return column.values;
}

function stepsOf(numbers: readonly number[]): readonly number[] {
  return numbers.map((number, index) => number - (numbers[index - 1] ?? 0));
}

function sumsOf(steps: readonly number[]): readonly number[] {
  let sum = 0;
  return steps.map((step) => (sum += step));
}
