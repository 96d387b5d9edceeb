import { partitionText } from '../../dag/relation.ts';
import type { PartitionValues } from '../../dag/relation.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { PartitionSelector } from '../../ports/ledger.ts';

/** Partition columns of each table, in order. */
export type Layouts = ReadonlyMap<string, readonly string[]>;

/** Wanted values per partition column; a column that is not named is free. */
type Filter = Readonly<Record<string, readonly string[]>>;

/** A selector checked against its table: one partition by its text, or all that pass the filter. */
export interface BoundSelector {
  readonly table: string;
  readonly partition: string | null;
  readonly filter: Filter;
}

export function partitionName(table: string, partition: string): string {
  return partition === '' ? table : `${table}/${partition}`;
}

export function layoutOf(layouts: Layouts, table: string): readonly string[] {
  const layout = layouts.get(table);
  if (layout !== undefined) return layout;
  throw new TerminalError({
    place: `table ${table}`,
    expected: 'a table the ledger knows',
    found: 'no table of that name',
    remedy: 'Register it with registerTables before it is read or published, or correct the name.',
  });
}

/** The partition's one text form. Throws TerminalError unless `values` names every partition column and no other. */
export function textOf(layouts: Layouts, table: string, values: PartitionValues): string {
  const partitionBy = layoutOf(layouts, table);
  const given = Object.keys(values);
  if (given.length !== partitionBy.length || partitionBy.some((column) => values[column] === undefined))
    throw new TerminalError({
      place: `table ${table}`,
      expected: `a value for each partition column and no other (${partitionBy.join(', ') || 'none'})`,
      found: JSON.stringify(values),
      remedy: 'Name the partition by the columns the table is partitioned by.',
    });
  return partitionText({ name: table, partitionBy }, values);
}

export function bind(layouts: Layouts, selector: PartitionSelector): BoundSelector {
  const { table } = selector;
  if ('values' in selector) {
    const filter = Object.fromEntries(
      Object.entries(selector.values).map(([column, value]) => [column, [value]]),
    );
    return { table, partition: textOf(layouts, table, selector.values), filter };
  }
  const partitionBy = layoutOf(layouts, table);
  const strange = Object.keys(selector.where).filter((column) => !partitionBy.includes(column));
  if (strange.length > 0)
    throw new TerminalError({
      place: `table ${table}`,
      expected: `a filter over its partition columns (${partitionBy.join(', ') || 'none'})`,
      found: `a filter over ${strange.join(', ')}`,
      remedy: 'Filter by partition columns only.',
    });
  return { table, partition: null, filter: selector.where };
}

/** Whether two selectors may stand for the same partition, published or not. */
export function overlap(a: BoundSelector, b: BoundSelector): boolean {
  if (a.table !== b.table) return false;
  return Object.entries(a.filter).every(([column, wanted]) => {
    const others = b.filter[column];
    return others === undefined || wanted.some((value) => others.includes(value));
  });
}

/** Whether `selector` takes in the one partition with these values. */
export function covers(selector: BoundSelector, table: string, values: PartitionValues): boolean {
  if (selector.table !== table) return false;
  return Object.entries(selector.filter).every(([column, wanted]) => wanted.includes(values[column]!));
}
