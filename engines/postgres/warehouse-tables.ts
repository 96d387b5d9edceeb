import type { Column } from '../../dag/relation.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { WarehouseTable } from '../../ports/warehouse.ts';
import type { Query } from './database.ts';
import { derivedName, quoted, quotedList, quotedTable, sqlType } from './identifiers.ts';

interface Shape {
  readonly exists: boolean;
  readonly types: Readonly<Record<string, string>>;
  readonly hasKey: boolean;
  readonly indexes: readonly string[];
}

async function readShape(query: Query, table: WarehouseTable): Promise<Shape> {
  const rows = await query<Shape>(
    `select c.id is not null as exists,
            coalesce((select jsonb_object_agg(attname, format_type(atttypid, atttypmod)) from pg_attribute
                       where attrelid = c.id and attnum > 0 and not attisdropped), '{}') as types,
            exists (select from pg_index i where i.indrelid = c.id and i.indisunique and i.indpred is null
                       and (select array_agg(a.attname::text order by a.attname::text) from pg_attribute a
                             where a.attrelid = c.id and a.attnum = any (i.indkey)) = $2::text[]) as "hasKey",
            coalesce((select jsonb_agg(x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid
                       where i.indrelid = c.id), '[]') as indexes
       from (select to_regclass($1) as id) c`,
    [quotedTable(table.name), [...table.primaryKey].sort()],
  );
  return rows[0]!;
}

const definition = (column: Column): string =>
  `${quoted(column.name)} ${sqlType(column.type)}${column.nullable ? '' : ' not null'}`;

async function create(query: Query, table: WarehouseTable): Promise<void> {
  const [schema] = table.name.split('.').slice(0, -1);
  if (schema !== undefined) await query(`create schema if not exists ${quoted(schema)}`);
  const parts = [...table.columns.map(definition), `primary key (${quotedList(table.primaryKey)})`];
  await query(`create table ${quotedTable(table.name)} (${parts.join(', ')})`);
}

function refuseOtherTypes(table: WarehouseTable, shape: Shape): void {
  const wrong = table.columns.filter(
    (column) => shape.types[column.name] !== undefined && shape.types[column.name] !== sqlType(column.type),
  );
  if (wrong.length === 0) return;
  throw new TerminalError({
    place: `warehouse table ${table.name}`,
    expected: wrong.map((column) => `${column.name} to be ${sqlType(column.type)}`).join(', '),
    found: wrong.map((column) => `${column.name} ${shape.types[column.name]}`).join(', '),
    remedy:
      'Change the type in the contract, or alter the column in the warehouse; a load never converts a column.',
  });
}

function refuseOtherKey(table: WarehouseTable, shape: Shape): void {
  if (shape.hasKey) return;
  throw new TerminalError({
    place: `warehouse table ${table.name}`,
    expected: `a primary key or unique index on (${table.primaryKey.join(', ')})`,
    found: 'none',
    remedy: 'Create it, or let the load create the whole table.',
  });
}

/** A new column may be null whatever its declaration says: rows of slices not loaded since have no value for it. */
async function addColumns(query: Query, table: WarehouseTable, shape: Shape): Promise<void> {
  const missing = table.columns.filter((column) => shape.types[column.name] === undefined);
  if (missing.length === 0) return;
  const added = missing.map((column) => `add column ${quoted(column.name)} ${sqlType(column.type)}`);
  await query(`alter table ${quotedTable(table.name)} ${added.join(', ')}`);
}

async function addIndexes(query: Query, table: WarehouseTable, shape: Shape): Promise<void> {
  for (const index of table.indexes) {
    const name = derivedName(table.name, index);
    if (!shape.indexes.includes(name))
      await query(`create index ${quoted(name)} on ${quotedTable(table.name)} ${index}`);
  }
}

/** Creates the table or adds what it lacks. The caller holds the table's lock. */
export async function bringInLine(query: Query, table: WarehouseTable): Promise<void> {
  const shape = await readShape(query, table);
  if (shape.exists) {
    refuseOtherTypes(table, shape);
    refuseOtherKey(table, shape);
    await addColumns(query, table, shape);
  } else await create(query, table);
  await addIndexes(query, table, shape);
}
