import { UsageError, type Cli } from '../cli.ts';
import { wholeNumber } from '../arguments.ts';
import { namedQuery, runQuery, type Query } from '../named-query.ts';
import { withSession } from '../session.ts';
import { writeRows, type Format } from '../write-rows.ts';

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

export async function query(cli: Cli, select: string | undefined, flags: QueryFlags): Promise<void> {
  const format = formatOf(flags);
  const wanted = queryOf(select, flags);
  const limit = wholeNumber('--limit', flags.limit);
  await withSession(cli, { temporal: false }, async (session) => {
    const result = await runQuery(cli, session, wanted, limit);
    await writeRows(result, format);
    if (format === 'table' && result.read !== null) cli.note(result.read);
  });
}
