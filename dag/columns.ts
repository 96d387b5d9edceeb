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
  if (values.every((value) => Number.isSafeInteger(value) && !Object.is(value, -0))) {
    const steps = stepsOf(values as readonly number[]);
    if (steps.every((step) => Number.isSafeInteger(step))) return sameOr(values, { steps });
  }
  const places = new Map<string, number>();
  const at = values.map((value) => {
    const text = JSON.stringify(value);
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  });
  if (2 * places.size > values.length) return sameOr(values, { values });
  const distinct = [...places.keys()].map((text) => JSON.parse(text) as Json);
  return sameOr(values, { distinct, at });
}

function sameOr(values: readonly Json[], column: Column): Column {
  const first = JSON.stringify(values[0]);
  return values.every((value) => JSON.stringify(value) === first) ? { same: values[0]! } : column;
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
