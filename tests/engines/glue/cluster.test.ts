import { GetJobRunsCommand, GlueClient, StartJobRunCommand } from '@aws-sdk/client-glue';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { ensureGlueJob } from '../../../engines/glue/ensure-job.ts';
import { openGlueCluster } from '../../../engines/glue/sql-cluster.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import type { ExternalJob } from '../../../ports/jobs.ts';
import type { SqlCluster } from '../../../ports/sql-cluster.ts';
import { awsEnvironment, clientOptionsOf, noBed } from '../../aws/clients.ts';
import { column, input, job, output } from '../../ports/sql-engine/fixture.ts';
import { openedCluster, origin } from './glue-job.ts';

const bed = inject('aws') ?? noBed;

/** No machine ends it, and Spark looks now and then whether it was cancelled, which it does not within a join of loops. */
const endless = 'select count(*) as n from range(1000000000000000) a where a.id % 7 = 8';

describe.skipIf(bed === noBed)(`SQL jobs on Glue ${inject('awsMissing')}`, { timeout: 180_000 }, () => {
  const glue = new GlueClient(clientOptionsOf(bed));
  beforeAll(() => {
    for (const [name, value] of Object.entries(awsEnvironment(bed))) vi.stubEnv(name, value);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    glue.destroy();
  });

  async function ended(cluster: SqlCluster, external: ExternalJob): Promise<void> {
    const look = async () => expect((await cluster.look(external)).state).toBe('ended');
    await vi.waitFor(look, { timeout: 120_000, interval: 200 });
  }

  async function reached(JobName: string, state: RegExp): Promise<void> {
    const look = async () => {
      const { JobRuns = [] } = await glue.send(new GetJobRunsCommand({ JobName }));
      expect(JobRuns[0]?.JobRunState).toMatch(state);
    };
    await vi.waitFor(look, { timeout: 120_000, interval: 200 });
  }

  async function runs(JobName: string): Promise<number> {
    return (await glue.send(new GetJobRunsCommand({ JobName }))).JobRuns?.length ?? 0;
  }

  const columns = [column('n', 'int', false), column('day', 'date', false)];
  const days = `select * from values (1, date'2026-01-01'), (2, date'2026-01-02'), (3, date'2026-01-02') as t(n, day)`;

  test('a job reads and writes S3, is looked at, and collected by whoever', async () => {
    await using opened = await openedCluster(bed);
    const { cluster, objects } = opened;
    const first = job({
      outputs: [output(days, columns, { partitionBy: ['day'], prefix: 'out/days' })],
      measures: [{ name: 'm', sql: `select 12.50bd as amount, true as ok, array('a', null) as tags` }],
    });
    const external = await cluster.submit(first, origin);
    expect(external.service).toBe('glue');
    await ended(cluster, external);
    const result = await cluster.collect(first, external);
    expect(result.measures['m']).toEqual([{ amount: '12.50', ok: true, tags: ['a', null] }]);
    const written = result.outputs['out']!;
    expect(written.map(({ partition, rows }) => [partition, rows])).toEqual([
      [{ day: '2026-01-01' }, 1],
      [{ day: '2026-01-02' }, 2],
    ]);
    for (const { files } of written)
      for (const { key, bytes } of files) expect(await objects.head(key)).toMatchObject({ bytes });
    const second = job({
      inputs: [input('days', written, columns, ['day'])],
      measures: [{ name: 'm', sql: 'select day, sum(n) as n from days group by day order by day' }],
    });
    const again = await cluster.submit(second, origin);
    await ended(cluster, again);
    const collected = await cluster.collect(second, again);
    expect(collected.measures['m']).toEqual([
      { day: '2026-01-01', n: '1' },
      { day: '2026-01-02', n: '5' },
    ]);
    expect(collected.bytesScanned).toBe(written.reduce((sum, { bytes }) => sum + bytes, 0));
  });

  test('SQL that cannot run is a terminal error with the statement, and Glue says the same', async () => {
    await using opened = await openedCluster(bed);
    const { cluster, name } = opened;
    const wrong = job({ steps: [{ name: 'wrong', sql: 'select nothing from nowhere' }] });
    const external = await cluster.submit(wrong, origin);
    await ended(cluster, external);
    const collecting = cluster.collect(wrong, external);
    await expect(collecting).rejects.toThrow(TerminalError);
    await expect(collecting).rejects.toThrow(/step wrong, line 1, column 21.*nowhere/);
    const { JobRuns = [] } = await glue.send(new GetJobRunsCommand({ JobName: name }));
    expect(JobRuns[0]).toMatchObject({ JobRunState: 'FAILED' });
    expect(JobRuns[0]!.ErrorMessage).toMatch(/step wrong.*nowhere/);
  });

  test('an answer that is lost starts no second run', async () => {
    await using opened = await openedCluster(bed);
    const { cluster, faults, name } = opened;
    const one = job({ measures: [{ name: 'm', sql: 'select 1 as n' }] });
    await faults.inject('glue:StartJobRun', { kind: 'lose-answer' });
    const external = await cluster.submit(one, origin);
    expect(await cluster.submit(one, origin)).toEqual(external);
    expect(await runs(name)).toBe(1);
    await ended(cluster, external);
    expect((await cluster.collect(one, external)).measures['m']).toEqual([{ n: '1' }]);
  });

  test('a run whose starter died before it was written down is found among many', async () => {
    await using opened = await openedCluster(bed, { maxConcurrentRuns: 20 });
    const { cluster, faults, name, objects } = opened;
    const one = job({ measures: [{ name: 'm', sql: 'select 1 as n' }] });
    const first = await cluster.submit(one, origin);
    await objects.remove([`jobs/${one.id}/submitted.json`]);
    await faults.clear();
    expect(await cluster.submit(one, origin)).toEqual(first);
    expect(await faults.calls('glue:StartJobRun')).toBe(1);
    expect(await runs(name)).toBe(1);
    await cluster.stop(first);
  });

  test('of two runs for one job one computes, and both submitters get its result', async () => {
    await using opened = await openedCluster(bed);
    const { cluster, objects, name } = opened;
    const one = job({
      outputs: [output(days, columns, { prefix: 'out/once' })],
      measures: [{ name: 'm', sql: 'select rand() as r' }],
    });
    const external = await cluster.submit(one, origin);
    // What a second submitter does that cannot see the first one's run yet.
    const { JobRunId = '' } = await glue.send(
      new StartJobRunCommand({
        JobName: name,
        Arguments: { '--job': objects.location(`jobs/${one.id}/job.json`), '--ingot-id': one.id },
      }),
    );
    const other = { ...external, id: JobRunId };
    await Promise.all([ended(cluster, external), ended(cluster, other)]);
    const [mine, theirs] = await Promise.all([cluster.collect(one, external), cluster.collect(one, other)]);
    expect(theirs).toEqual(mine);
    const written: string[] = [];
    for await (const object of objects.list('out/once/')) written.push(object.key);
    expect(written).toEqual(mine.outputs['out']!.flatMap(({ files }) => files.map(({ key }) => key)));
    expect(await runs(name)).toBe(2);
  });

  test('submitted by twenty at once, a job has one identity', async () => {
    await using opened = await openedCluster(bed, { maxConcurrentRuns: 30 });
    const { cluster } = opened;
    const one = job({ measures: [{ name: 'm', sql: endless }] });
    const all = await Promise.all(Array.from({ length: 20 }, () => cluster.submit(one, origin)));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    const { JobRuns = [] } = await glue.send(new GetJobRunsCommand({ JobName: opened.name }));
    for (const { Id = '' } of JobRuns) await cluster.stop({ ...all[0]!, id: Id });
  });

  test('a stopped job ends, whoever stops it and however often', async () => {
    await using opened = await openedCluster(bed);
    const { cluster, name } = opened;
    const long = job({ outputs: [output(endless, [column('n', 'bigint')], { prefix: 'out/long' })] });
    const external = await cluster.submit(long, origin);
    await reached(name, /RUNNING/);
    expect(await cluster.look(external)).toEqual({
      state: 'running',
      note: 'RUNNING for less than a minute',
    });
    await cluster.stop(external);
    await cluster.stop(external);
    await ended(cluster, external);
    await cluster.stop(external);
    const collecting = cluster.collect(long, external);
    await expect(collecting).rejects.toThrow(RetryableError);
    await expect(collecting).rejects.toThrow(/stopped from outside/);
  });

  test('a run that timed out, that the service failed, or that vanished is tried again', async () => {
    await using opened = await openedCluster(bed);
    const { cluster, faults } = opened;
    const meet = async (end: (external: ExternalJob) => Promise<void>) => {
      const long = job({ measures: [{ name: 'm', sql: endless }] });
      const external = await cluster.submit(long, origin);
      await end(external);
      await ended(cluster, external);
      return await cluster.collect(long, external).catch((error: unknown) => error);
    };
    const ends = [
      await meet(({ id }) => faults.endJobRun(id, 'TIMEOUT')),
      await meet(({ id }) => faults.endJobRun(id, 'FAILED', 'Resource unavailable: not enough workers')),
      await meet(({ id }) => faults.endJobRun(id, 'SUCCEEDED')),
      await meet(({ id }) => faults.forgetJobRun(id)),
    ];
    for (const error of ends) expect(error).toBeInstanceOf(RetryableError);
    expect(ends.map(String)).toEqual([
      expect.stringMatching(/ended at its timeout/),
      expect.stringMatching(/Resource unavailable/),
      expect.stringMatching(/without leaving a result/),
      expect.stringMatching(/does not know any more/),
    ]);
    const broken = await meet(({ id }) => faults.endJobRun(id, 'FAILED', 'SyntaxError: invalid syntax'));
    expect(broken).toBeInstanceOf(TerminalError);
    expect(String(broken)).toMatch(/SyntaxError/);
  });

  test('a throttling storm and too many runs are to be tried again, and then leave no second run', async () => {
    await using opened = await openedCluster(bed, { maxConcurrentRuns: 1 });
    const { cluster, faults, name } = opened;
    const long = job({ measures: [{ name: 'm', sql: endless }] });
    await faults.fail('glue:StartJobRun', {}, 3);
    for (let at = 0; at < 3; at += 1) {
      const failing = cluster.submit(long, origin);
      await expect(failing).rejects.toThrow(RetryableError);
      await expect(failing).rejects.toThrow(/glue:StartJobRun.*ThrottlingException/);
    }
    const external = await cluster.submit(long, origin);
    const next = job({ measures: [{ name: 'm', sql: 'select 1 as n' }] });
    const waiting = cluster.submit(next, origin);
    await expect(waiting).rejects.toThrow(RetryableError);
    await expect(waiting).rejects.toThrow(/ConcurrentRunsExceededException/);
    await cluster.stop(external);
    await ended(cluster, external);
    const accepted = await cluster.submit(next, origin);
    expect(await runs(name)).toBe(2);
    await cluster.stop(accepted);
  });

  test('without the job the remedy is said', async () => {
    await using opened = await openedCluster(bed);
    const missing = openGlueCluster({
      ...opened.definition,
      jobName: `${opened.name}-gone`,
      translate: (sql) => sql,
    });
    const submitting = missing.submit(job({}), origin);
    await expect(submitting).rejects.toThrow(TerminalError);
    await expect(submitting).rejects.toThrow(/ingot migrate/);
    await missing.close();
  });

  test('the job is created once, changed when it differs, and else left alone', async () => {
    await using opened = await openedCluster(bed);
    const { definition, ensured, faults } = opened;
    expect(ensured.job).toBe('created');
    expect(await ensureGlueJob(definition)).toEqual({ ...ensured, job: 'unchanged', changes: [] });
    expect(await ensureGlueJob({ ...definition, workers: 10, maxConcurrentRuns: 7 })).toEqual({
      ...ensured,
      job: 'updated',
      changes: ['NumberOfWorkers', 'ExecutionProperty'],
    });
    expect(await faults.calls('glue:CreateJob')).toBe(1);
    expect(await faults.calls('glue:UpdateJob')).toBe(1);
  });
});
