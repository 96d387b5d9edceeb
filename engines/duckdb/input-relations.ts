import type { Column, PartitionValues } from '../../dag/relation.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { InlineRelation, InputFile, InputRelation } from '../../ports/sql-engine.ts';
import { losslessCast } from './lossless-cast.ts';
import type { Session } from './session.ts';
import { duckdbType, fileLiteral, identifier, literal } from './sql-text.ts';

/** More groups than this are labelled by a join on the file name in place of one branch per partition. */
const unionLimit = 32;
/** A store elsewhere answers in tens of milliseconds, however many are asked. */
const headsAtOnce = 48;

function emptyRelation(columns: readonly Column[]): string {
  return `SELECT ${columns.map((column) => `CAST(NULL AS ${duckdbType(column.type)}) AS ${identifier(column.name)}`).join(', ')} WHERE false`;
}

function list(files: readonly InputFile[], objects: ObjectStore): string {
  return `[${files.map((file) => fileLiteral(objects.location(file.key))).join(', ')}]`;
}

function value(relation: InputRelation, partition: PartitionValues, column: string): string {
  const found = partition[column];
  if (found !== undefined) return found;
  throw new TerminalError({
    expected: `a value for partition column ${column}`,
    found: JSON.stringify(partition),
    remedy: 'Publish the file with all its partition values.',
    place: `input ${relation.name}`,
  });
}

/** True when DuckDB would read every partition value from the path itself, which costs nothing per row. */
function inPath(relation: InputRelation): boolean {
  return relation.files.every((file) => {
    const segments = file.key.split('/').slice(0, -1);
    return relation.partitionBy.every((column) => {
      const expected = value(relation, file.partition, column);
      const matching = segments.filter((segment) =>
        segment.toLowerCase().startsWith(`${column.toLowerCase()}=`),
      );
      return (
        expected !== '' &&
        expected !== '__HIVE_DEFAULT_PARTITION__' &&
        matching.length === 1 &&
        matching[0] === `${column}=${encodeURIComponent(expected)}`
      );
    });
  });
}

function byPartition(relation: InputRelation): InputFile[][] {
  const groups = Map.groupBy(relation.files, (file) =>
    JSON.stringify(relation.partitionBy.map((column) => value(relation, file.partition, column))),
  );
  return [...groups.values()];
}

/** A select of `stored` and the partition columns (as text) over all files. */
function scan(relation: InputRelation, objects: ObjectStore, stored: string): string {
  const read = (files: readonly InputFile[], option: string) =>
    `read_parquet(${list(files, objects)}, union_by_name = true, ${option})`;
  const keep = (more: readonly string[]) => [stored, ...more].filter((part) => part !== '').join(', ');
  if (relation.partitionBy.length === 0)
    return `SELECT ${keep([])} FROM ${read(relation.files, 'hive_partitioning = false')}`;
  if (inPath(relation))
    return `SELECT ${keep(relation.partitionBy.map(identifier))} FROM ${read(relation.files, 'hive_partitioning = true, hive_types_autocast = false')}`;
  const groups = byPartition(relation);
  if (groups.length <= unionLimit)
    return groups
      .map(
        (files) =>
          `SELECT ${keep(relation.partitionBy.map((column) => `${literal(value(relation, files[0]!.partition, column))} AS ${identifier(column)}`))} FROM ${read(files, 'hive_partitioning = false')}`,
      )
      .join('\nUNION ALL\n');
  const rows = relation.files.map(
    (file) =>
      `(${[objects.location(file.key), ...relation.partitionBy.map((column) => value(relation, file.partition, column))].map(literal).join(', ')})`,
  );
  const labels = `(VALUES ${rows.join(', ')}) AS label(file, ${relation.partitionBy.map(identifier).join(', ')})`;
  return `SELECT ${keep(relation.partitionBy.map((column) => `label.${identifier(column)}`))} FROM ${read(relation.files, `hive_partitioning = false, filename = '__file'`)} JOIN ${labels} ON __file = label.file`;
}

function missingColumn(relation: InputRelation, column: Column): string {
  if (column.nullable) return `CAST(NULL AS ${duckdbType(column.type)}) AS ${identifier(column.name)}`;
  throw new TerminalError({
    expected: `column ${column.name} (${column.type}, never null) in the files of ${relation.name}`,
    found: 'no such column',
    remedy: 'Make the column nullable in the contract, or run the task that writes the table again.',
    place: `input ${relation.name}`,
  });
}

/** The select behind an input's view: declared columns in order, typed, also over files written before a column existed. */
export async function inputSelect(
  session: Session,
  relation: InputRelation,
  objects: ObjectStore,
): Promise<string> {
  if (relation.files.length === 0) return emptyRelation(relation.columns);
  const partition = new Set(relation.partitionBy);
  const probe = `SELECT * FROM read_parquet(${list(relation.files, objects)}, union_by_name = true, hive_partitioning = false)`;
  const found = new Map(
    (await session.describe({ label: `input ${relation.name}`, sql: probe })).map((column) => [
      column.name,
      column.type,
    ]),
  );
  const stored = relation.columns.filter((column) => !partition.has(column.name) && found.has(column.name));
  const columns = relation.columns.map((column) => {
    const name = identifier(column.name);
    if (partition.has(column.name))
      return `${losslessCast(name, 'VARCHAR', column.type, column.name)} AS ${name}`;
    const type = found.get(column.name);
    return type === undefined
      ? missingColumn(relation, column)
      : `${losslessCast(name, type, column.type, column.name)} AS ${name}`;
  });
  return `SELECT ${columns.join(', ')} FROM (${scan(relation, objects, stored.map((column) => identifier(column.name)).join(', '))})`;
}

/** Makes every input readable by its name in this session. */
export async function bindInputs(
  session: Session,
  inputs: readonly InputRelation[],
  objects: ObjectStore,
): Promise<void> {
  for (const relation of inputs) {
    const select = await inputSelect(session, relation, objects);
    await session.run({
      label: `input ${relation.name}`,
      sql: `CREATE TEMP VIEW ${identifier(relation.name)} AS ${select}`,
    });
  }
}

function inlineValue(item: string | null | readonly string[]): string {
  if (item === null) return 'NULL';
  return typeof item === 'string' ? literal(item) : `[${item.map(literal).join(', ')}]::VARCHAR[]`;
}

/** Makes the small constant relations of a job readable by name. */
export async function bindInline(session: Session, relations: readonly InlineRelation[]): Promise<void> {
  for (const relation of relations) {
    const names = relation.columns.map((column) => identifier(column.name));
    const rows = relation.rows.map(
      (row) =>
        `(${relation.columns.map((column, at) => `CAST(${inlineValue(row[at] ?? null)} AS ${column.type === 'text[]' ? 'VARCHAR[]' : 'VARCHAR'})`).join(', ')})`,
    );
    const typed = relation.columns.map(
      (column, at) =>
        `${losslessCast(names[at]!, column.type === 'text[]' ? 'VARCHAR[]' : 'VARCHAR', column.type, column.name)} AS ${names[at]}`,
    );
    const select =
      rows.length === 0
        ? emptyRelation(relation.columns)
        : `SELECT ${typed.join(', ')} FROM (VALUES ${rows.join(', ')}) AS inline_rows(${names.join(', ')})`;
    await session.run({
      label: `inline ${relation.name}`,
      sql: `CREATE TEMP TABLE ${identifier(relation.name)} AS ${select}`,
    });
  }
}

/** Bytes of the files a job reads; an input that is gone is named before anything runs. */
export async function inputBytes(inputs: readonly InputRelation[], objects: ObjectStore): Promise<number> {
  const keys = [...new Set(inputs.flatMap((relation) => relation.files.map((file) => file.key)))];
  let bytes = 0;
  for (let at = 0; at < keys.length; at += headsAtOnce) {
    const infos = await Promise.all(
      keys.slice(at, at + headsAtOnce).map(async (key) => ({ key, info: await objects.head(key) })),
    );
    for (const { key, info } of infos) {
      if (info === null)
        throw new TerminalError({
          expected: 'an input file',
          found: 'none',
          remedy: 'It was removed after it was published: run the task that wrote it again.',
          place: key,
        });
      bytes += info.bytes;
    }
  }
  return bytes;
}
