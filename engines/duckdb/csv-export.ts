import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOptions } from '../../ports/abortable.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { InputRelation } from '../../ports/sql-engine.ts';
import type { Database } from './database.ts';
import { bindInputs } from './input-relations.ts';
import { type DescribedColumn, Session } from './session.ts';
import { columnType, identifier, literal, selectText } from './sql-text.ts';

const place = 'export to CSV';

/** PostgreSQL's own text of an array; DuckDB's brackets mean nothing to it. */
function arrayText(name: string): string {
  const element = `CASE WHEN e IS NULL THEN 'NULL' ELSE '"' || replace(replace(e, '\\', '\\\\'), '"', '\\"') || '"' END`;
  return `CASE WHEN ${name} IS NOT NULL THEN '{' || array_to_string(list_transform(${name}, lambda e: ${element}), ',') || '}' END`;
}

function exported(column: DescribedColumn): string {
  const name = identifier(column.name);
  const type = column.type === 'UUID' || column.type === 'HUGEINT' ? 'text' : columnType(column.type);
  if (type === null)
    throw new TerminalError({
      expected: 'columns PostgreSQL can take',
      found: `${column.name} of type ${column.type}`,
      remedy: 'Cast it in the select.',
      place,
    });
  return type === 'text[]' ? `${arrayText(name)} AS ${name}` : name;
}

/** Streams a select as PostgreSQL's CSV copy format. The rows go through a file in the spill folder, so they are never in memory together. */
export async function* exportCsv(
  database: Database,
  objects: ObjectStore,
  select: string,
  inputs: readonly InputRelation[],
  options: CallOptions,
): AsyncIterable<Uint8Array> {
  const path = join(database.spillPath, `export-${randomUUID()}.csv`);
  try {
    {
      using session = await Session.open(database, place, options);
      await bindInputs(session, inputs, objects);
      const authored = selectText(select);
      const columns = await session.describe({ label: 'select', sql: authored, authored });
      // A lone column could spell \. on a line of its own, which ends a copy.
      const quoted =
        columns.length === 1 && columns[0]!.type === 'VARCHAR'
          ? `, FORCE_QUOTE (${identifier(columns[0]!.name)})`
          : '';
      const sql = `COPY (SELECT ${columns.map(exported).join(', ')} FROM (\n${authored}\n)) TO ${literal(path)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR ''${quoted})`;
      await session.run({ label: 'select', sql, authored });
    }
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      yield chunk as Uint8Array;
    }
  } finally {
    await rm(path, { force: true });
  }
}
