import { contract, nullable } from '../dag/contract.ts';
import type { ColumnDeclarations, Contract } from '../dag/contract.ts';
import { keepsText, sourceColumns } from './casting.ts';

type Place = { readonly source_file: 'text'; readonly line_number: 'bigint' };

function place(): Place {
  return { source_file: 'text', line_number: 'bigint' };
}

function partitionColumns(source: Contract): Record<string, ColumnDeclarations[string]> {
  return Object.fromEntries(source.table.partitionBy.map((name) => [name, source.declared[name]!]));
}

/** The table of a source's files as they were delivered, byte for byte. */
export function filesContract<const Name extends string>(source: Contract, table: Name): Contract<Name> {
  return contract({
    table,
    zone: 'raw',
    description: `Files of ${source.name} as they were delivered, immutable. They are CSV, not Parquet: query the records instead.`,
    partitionBy: source.table.partitionBy,
    columns: {
      ...partitionColumns(source),
      ...Object.fromEntries(sourceColumns(source).map((column) => [column.name, 'text' as const])),
    },
  }) as Contract<Name>;
}

/** The table of a source's records as text, one row per record of its files, the unreadable ones with their raw line. */
export function recordsContract<const Name extends string>(source: Contract, table: Name): Contract<Name> {
  return contract({
    table,
    zone: 'raw',
    description: `Every record of ${source.name}, all fields as text. A record that does not split into the fields is \`malformed\`, with its line in \`raw\`.`,
    partitionBy: source.table.partitionBy,
    columns: {
      ...partitionColumns(source),
      ...place(),
      ...Object.fromEntries(sourceColumns(source).map((column) => [column.name, 'text' as const])),
      malformed: 'boolean',
      raw: nullable('text'),
    } as ColumnDeclarations,
  }) as Contract<Name>;
}

/**
 * The table of a source's records typed: each value beside its trimmed text, null where it does not cast. Nothing is dropped
 * here; which record of several stays is decided where their neighbours are looked at.
 */
export function typedContract<const Name extends string>(
  source: Contract,
  table: Name,
  more: ColumnDeclarations = {},
): Contract<Name> {
  const columns = sourceColumns(source).flatMap((column) => {
    const typed = [column.name, { type: column.type, nullable: column.type !== 'text' }] as const;
    return keepsText(source, column) ? [typed, [`${column.name}_text`, 'text' as const] as const] : [typed];
  });
  return contract({
    table,
    zone: 'bronze',
    description: `Every record of ${source.name}: typed values beside their text, null where a text is not a value of the type.`,
    partitionBy: source.table.partitionBy,
    columns: {
      ...partitionColumns(source),
      ...place(),
      ...Object.fromEntries(columns),
      verbatim: nullable('text[]', 'The fields before trimming, where it changed one.'),
      malformed: 'boolean',
      raw: nullable('text', 'The line of a malformed record.'),
      ...more,
    },
  }) as Contract<Name>;
}

/** Columns of a quarantine table after the source's partition columns. */
export const quarantineColumns = {
  source_file: 'text',
  line_number: 'bigint',
  raw: {
    type: 'text',
    nullable: false,
    description: 'The raw line of a malformed record, otherwise its fields as a JSON array of strings.',
  },
  reasons: { type: 'text[]', nullable: false, description: 'Every rule the record breaks, sorted by name.' },
} as const satisfies ColumnDeclarations;
