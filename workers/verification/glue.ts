import type { ExternalJob } from '../../ports/jobs.ts';
import type { JobOrigin, SqlCluster } from '../../ports/sql-cluster.ts';
import type { SqlJob } from '../../ports/sql-engine.ts';
import { awaitValue } from './await-value.ts';
import { daysInput, jobId } from './duckdb.ts';
import { unexpected, type Checks } from './outcome.ts';
import type { Verification, Verify } from './verification.ts';

/** A cluster starts in one or two minutes; ten are for a queue before it. */
const endMs = 15 * 60_000;

function jobOf(verification: Verification, name: string, sql: string, rest: Partial<SqlJob> = {}): SqlJob {
  const measures = [{ name: 'm', sql }];
  const inputs = [daysInput(verification)];
  return { id: jobId(verification, name), inputs, inline: [], steps: [], outputs: [], measures, ...rest };
}

function originOf({ id }: Verification): JobOrigin {
  const workflowId = `verify-${id}`;
  return { dagId: 'verify', taskId: 'glue', runId: id, workflowId, timeoutMs: 30 * 60_000 };
}

async function ended(cluster: SqlCluster, job: ExternalJob): Promise<string> {
  return awaitValue('the job to end', endMs, async () => {
    const { state, note } = await cluster.look(job);
    return state === 'ended' ? note : null;
  });
}

const perDay = `select day, count(*) as c, sum(amount) as amount from days group by day order by day`;
const expectedDays = '2026-01-01: 100 1237.50, 2026-01-02: 100 3737.50, 2026-01-03: 100 6237.50';

async function computes(verification: Verification, cluster: SqlCluster, checks: Checks): Promise<void> {
  const job = jobOf(verification, 'good', perDay);
  let external: ExternalJob | null = null;
  await checks.check('a model is submitted to Spark', 'a run of the Glue job', async () => {
    external = await cluster.submit(job, originOf(verification));
    verification.jobRunId = external.id;
    return external.label;
  });
  if (external === null) return;
  const first: ExternalJob = external;
  await checks.check('the same model is submitted again', 'the same run, and no second one', async () => {
    const second = await cluster.submit(job, originOf(verification));
    if (second.id !== first.id) throw unexpected(first.label, second.label);
    return second.label;
  });
  const isComputed = await checks.check('Spark computes it', expectedDays, async () => {
    await ended(cluster, first);
    const { measures } = await cluster.collect(job, first);
    const found = measures['m']!.map(
      ({ day, c, amount }) => `${String(day)}: ${String(c)} ${String(amount)}`,
    ).join(', ');
    if (found !== expectedDays) throw unexpected(expectedDays, found);
    return found;
  });
  if (!isComputed) await cluster.stop(first).catch(() => undefined);
}

async function says(verification: Verification, cluster: SqlCluster, checks: Checks): Promise<void> {
  await checks.check('a model that cannot run', 'an error that names the column', async () => {
    const job = jobOf(verification, 'bad', 'select no_such_column from days');
    const external = await cluster.submit(job, originOf(verification));
    await ended(cluster, external);
    const message = await cluster.collect(job, external).then(
      () => 'a result',
      (error: Error) => error.message,
    );
    if (!message.includes('no_such_column')) throw unexpected('an error that names no_such_column', message);
    return message.split('\n')[0]!;
  });
}

async function stops(verification: Verification, cluster: SqlCluster, checks: Checks): Promise<void> {
  await checks.check('a model that is stopped', 'a run that ends as stopped, without a result', async () => {
    const sql = 'select count(*) as c from days a, days b, days c, days d, days e';
    const job = jobOf(verification, 'long', sql);
    const external = await cluster.submit(job, originOf(verification));
    await cluster.stop(external);
    const state = await ended(cluster, external);
    const message = await cluster.collect(job, external).then(
      () => 'a result',
      (error: Error) => error.message,
    );
    if (!message.includes('stopped')) throw unexpected('a run that was stopped', `${state}: ${message}`);
    return state;
  });
}

/** A model through the real job: submitted once, looked at, collected; one that fails; one that is stopped. */
export const verifyGlue: Verify = async (verification, checks) => {
  const elsewhere = await verification.lake.openElsewhere();
  try {
    const cluster = elsewhere.cluster?.cluster;
    if (cluster === undefined) return checks.skip('models on Spark', 'aws.glue.role is not set');
    if (verification.written.length === 0)
      return checks.skip('models on Spark', 'DuckDB wrote nothing to read');
    await computes(verification, cluster, checks);
    await says(verification, cluster, checks);
    await stops(verification, cluster, checks);
  } finally {
    await elsewhere.close();
  }
};
