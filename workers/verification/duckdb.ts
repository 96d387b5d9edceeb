import { unexpected } from './outcome.ts';
import { days } from './verified-ledger.ts';
import type { Verification, Verify } from './verification.ts';

/** Three days of 100 rows each, with what engines and catalogs might get wrong. */
const select = `select i as n, cast(i / 4.0 as decimal(18,2)) as amount,
    case when i % 10 = 0 then null else 'wört ' || i end as word,
    date '2026-01-01' + cast(i // 100 as int) as day
  from range(300) r(i)`;

export function jobId({ id }: Verification, name: string): string {
  return `verify.${name}/${id}/1`;
}

export const verifyDuckDb: Verify = async (verification, checks) => {
  const { sql, lake, written } = verification;
  const { sessionToken } = await lake.s3.credentials().then(
    (found) => found as { readonly sessionToken?: string },
    () => ({}) as { readonly sessionToken?: string },
  );
  const keys = sessionToken === undefined ? 'an access key' : 'the credentials of a session';

  await checks.check('DuckDB writes to S3', `300 rows in 3 partitions, with ${keys}`, async () => {
    const { outputs } = await sql.run({
      id: jobId(verification, 'write'),
      inputs: [],
      inline: [],
      steps: [],
      outputs: [
        {
          name: 'days',
          select,
          columns: days.columns,
          partitionBy: ['day'],
          prefix: 'data/silver/checked/days/1',
        },
      ],
      measures: [],
    });
    written.push(...outputs['days']!);
    const found = written.map(({ partition, rows }) => `${partition['day']}: ${rows}`).join(', ');
    if (found !== '2026-01-01: 100, 2026-01-02: 100, 2026-01-03: 100')
      throw unexpected('100 rows a day', found);
    return found;
  });

  if (written.length === 0) return checks.skip('DuckDB reads from S3', 'nothing was written');
  await checks.check('DuckDB reads from S3', '300 rows, sum 44850, 30 nulls', async () => {
    const { measures } = await sql.run({
      id: jobId(verification, 'read'),
      inputs: [daysInput(verification)],
      inline: [],
      steps: [],
      outputs: [],
      measures: [
        { name: 'm', sql: `select count(*) as c, sum(n) as s, count(*) - count(word) as nulls from days` },
      ],
    });
    const { c, s, nulls } = measures['m']![0]!;
    const found = `${String(c)} rows, sum ${String(s)}, ${String(nulls)} nulls`;
    if (found !== '300 rows, sum 44850, 30 nulls') throw unexpected('300 rows, sum 44850, 30 nulls', found);
    return found;
  });
};

/** What DuckDB wrote, as an input of a job. */
export function daysInput({ written }: Verification) {
  return {
    name: 'days',
    columns: days.columns,
    partitionBy: days.partitionBy,
    files: written.flatMap(({ partition, files }) => files.map(({ key }) => ({ key, partition }))),
  };
}
