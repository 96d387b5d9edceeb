import type { Column } from '../../dag/relation.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Database } from './database.ts';
import { Session } from './session.ts';
import { columnType, fileLiteral } from './sql-text.ts';

/** Column names and types stored in a Parquet file; every one may be null, as Parquet writers declare it. */
export async function parquetSchema(
  database: Database,
  objects: ObjectStore,
  key: string,
): Promise<readonly Column[]> {
  if ((await objects.head(key)) === null)
    throw new TerminalError({
      expected: 'a Parquet file',
      found: 'none',
      remedy: 'Check the key.',
      place: key,
    });
  using session = await Session.open(database, key);
  const found = await session.describe({
    label: 'schema',
    sql: `SELECT * FROM read_parquet(${fileLiteral(objects.location(key))}, hive_partitioning = false)`,
  });
  return found.map((column) => {
    const type = columnType(column.type);
    if (type === null)
      throw new TerminalError({
        expected: 'columns of text, boolean, number, date, timestamp or text list',
        found: `${column.name} of type ${column.type}`,
        remedy: 'Write the file with a type the product knows.',
        place: key,
      });
    return { name: column.name, type, nullable: true };
  });
}
