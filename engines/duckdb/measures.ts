import type { ResultRow, SqlJob } from '../../ports/sql-engine.ts';
import type { Session } from './session.ts';
import { identifier, selectText } from './sql-text.ts';

const kept = new Set(['VARCHAR', 'BOOLEAN', 'VARCHAR[]']);

/** Runs a small select; every value but booleans and text lists comes back as DuckDB's text of it. */
export async function measure(
  session: Session,
  { name, sql }: SqlJob['measures'][number],
): Promise<readonly ResultRow[]> {
  const label = `measure ${name}`;
  const authored = selectText(sql);
  const columns = await session.describe({ label, sql: authored, authored });
  const texts = columns.map((column) =>
    kept.has(column.type)
      ? identifier(column.name)
      : `CAST(${identifier(column.name)} AS VARCHAR) AS ${identifier(column.name)}`,
  );
  const rows = await session.rows({
    label,
    sql: `SELECT ${texts.join(', ')} FROM (\n${authored}\n)`,
    authored,
  });
  return rows as readonly ResultRow[];
}
