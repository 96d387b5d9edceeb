import { inspectAthena } from '../../engines/athena/inspect.ts';
import type { QueryService } from '../../ports/query-service.ts';
import { awsOptions } from '../aws-watching.ts';
import { awaitValue } from './await-value.ts';
import { NotShownError, unexpected } from './outcome.ts';
import { days } from './verified-ledger.ts';
import type { Verify } from './verification.ts';

async function answer(queries: QueryService, sql: string): Promise<{ text: string; bytes: number }> {
  const { rows, bytesScanned } = await queries.query(sql);
  const found: string[] = [];
  for await (const row of rows) found.push(row.map(String).join(' '));
  return { text: found.join(', '), bytes: bytesScanned };
}

/** Asks something long and gives up as soon as Athena has begun. */
async function cancelled(queries: QueryService, stateOf: (id: string) => Promise<string>): Promise<string> {
  const leave = new AbortController();
  let id = '';
  const beat = (note?: unknown): void => {
    id = /^query (\S+)/.exec(String(note))?.[1] ?? id;
    leave.abort(new Error('nobody waits any more'));
  };
  const many = ['a', 'b', 'c', 'd'].map((name) => `${days.name} ${name}`).join(', ');
  const ended = await queries.query(`select count(*) as n from ${many}`, { signal: leave.signal, beat }).then(
    () => 'answered',
    (error: Error) => error.message,
  );
  if (id === '' || ended === 'answered')
    throw new NotShownError('Athena had answered before it could be cancelled: try again');
  if (ended !== 'nobody waits any more') throw unexpected('our own reason', ended);
  return awaitValue('the query to end', 60_000, async () => {
    const state = await stateOf(id);
    return state === 'QUEUED' || state === 'RUNNING' ? null : state;
  });
}

/** Counts over what the catalog shows, what that costs, and a query that nobody waits for. */
export const verifyAthena: Verify = async ({ lake, ledger, config }, checks) => {
  if ((await ledger.tables()).length === 0) return checks.skip('Athena', 'no table is in the catalog');
  const athena = inspectAthena(awsOptions(config), config.workgroup);
  const queries = await lake.openQueries(ledger);
  try {
    await checks.check('a count over 3 partitions', '299, of one version of each', async () => {
      const { text, bytes } = await answer(queries, `select count(*) as n from ${days.name}`);
      if (text !== '299') throw unexpected('299', text);
      return `${text}, ${bytes} bytes scanned`;
    });
    await checks.check('values as they were written', '1237.50 and 90 words on the first day', async () => {
      const sql = `select sum(amount) as a, count(word) as w from ${days.name} where day = date '2026-01-01'`;
      const { text, bytes } = await answer(queries, sql);
      if (text !== '1237.50 90') throw unexpected('1237.50 90', text);
      if (bytes <= 0) throw unexpected('bytes scanned', String(bytes));
      return `${text}, ${bytes} bytes scanned of one partition`;
    });
    await checks.check('a query that nobody waits for', 'CANCELLED', async () => {
      const state = await cancelled(queries, (id) => athena.queryState(id));
      if (state === 'SUCCEEDED') throw new NotShownError('it had succeeded before Athena heard of it');
      if (state !== 'CANCELLED') throw unexpected('CANCELLED', state);
      return state;
    });
  } finally {
    athena.close();
    await queries.close();
  }
};
