import type { ResultValue } from '../../ports/sql-engine.ts';
import { UsageError, type Cli } from '../cli.ts';
import { wholeNumber } from '../arguments.ts';
import { count } from '../format.ts';
import { namedQuery, runQuery, type Query } from '../named-query.ts';
import { withSession } from '../session.ts';
import { writeRows, type Format, type RowStream } from '../write-rows.ts';

export interface QueryFlags {
  readonly named?: string;
  readonly connection?: string;
  readonly format: string;
  readonly json?: boolean;
  readonly limit: string;
}

const formats: readonly Format[] = ['table', 'json', 'csv'];

function formatOf(flags: QueryFlags): Format {
  const format = flags.json ? 'json' : formats.find((known) => known === flags.format);
  if (format === undefined)
    throw new UsageError(`expected --format ${formats.join(' | ')}; found ${flags.format}.`);
  return format;
}

function queryOf(select: string | undefined, { named, connection }: QueryFlags): Query {
  if (select !== undefined && named === undefined) return { sql: select, connection: connection ?? null };
  if (select === undefined && named !== undefined) return namedQuery(named);
  throw new UsageError(
    `expected a select or --named <name>; found ${select === undefined ? 'neither' : 'both'}.`,
  );
}

type Row = readonly ResultValue[];

/** At most `limit` rows; `onMore` is called where one more would follow. */
async function* firstOf(rows: RowStream['rows'], limit: number, onMore: () => void): AsyncGenerator<Row> {
  let given = 0;
  for await (const row of rows) {
    if (given === limit) return onMore();
    given += 1;
    yield row;
  }
}

export async function query(cli: Cli, select: string | undefined, flags: QueryFlags): Promise<void> {
  const format = formatOf(flags);
  const wanted = queryOf(select, flags);
  const limit = wholeNumber('--limit', flags.limit);
  await withSession(cli, { temporal: false }, async (session) => {
    const result = await runQuery(cli, session, wanted, limit + 1);
    let isCut = false;
    const rows = firstOf(result.rows, limit, () => (isCut = true));
    await writeRows({ ...result, rows }, format);
    if (isCut) cli.note(`The first ${count(limit)} rows; there are more: --limit tells how many to print.`);
    if (format === 'table' && result.read !== null) cli.note(result.read);
  });
}
