import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  BatchStopJobRunCommand,
  CreateJobCommand,
  GetJobRunCommand,
  GetJobRunsCommand,
  GlueClient,
  StartJobRunCommand,
  type JobRun,
} from '@aws-sdk/client-glue';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { clientOptionsOf, noBed, s3OptionsOf } from './clients.ts';
import { faultsOf } from './faults.ts';

const bed = inject('aws') ?? noBed;

const script = `
import sys
from pyspark.sql import SparkSession

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
spark = SparkSession.builder.appName(arguments["--JOB_NAME"]).getOrCreate()
if arguments["--do"] == "raise":
    raise ValueError("no such day: " + arguments["--day"])
if arguments["--do"] == "exit":
    sys.exit(3)
spark.range(int(arguments["--rows"])).write.mode("overwrite").parquet(arguments["--output"])
if arguments["--do"] == "work":
    spark.range(10**14).selectExpr("sum(id % 7)").collect()
if arguments["--do"] == "wait":
    import time
    time.sleep(600)
spark.stop()
`;

describe.skipIf(bed === noBed)(`Glue jobs of the AWS test bed ${inject('awsMissing')}`, () => {
  const glue = new GlueClient(clientOptionsOf(bed));
  const s3 = new S3Client(s3OptionsOf(bed));
  const bucket = `bed-${randomUUID()}`;

  async function createJob(concurrent = 5): Promise<string> {
    const Name = `bed-${randomUUID()}`;
    await glue.send(
      new CreateJobCommand({
        Name,
        Role: 'arn:aws:iam::000000000000:role/glue',
        Command: { ScriptLocation: `s3://${bucket}/script.py` },
        DefaultArguments: { '--do': 'write', '--rows': '10', '--output': `s3://${bucket}/${Name}/` },
        ExecutionProperty: { MaxConcurrentRuns: concurrent },
      }),
    );
    return Name;
  }

  async function start(JobName: string, Arguments: Record<string, string> = {}): Promise<string> {
    const { JobRunId = '' } = await glue.send(new StartJobRunCommand({ JobName, Arguments }));
    return JobRunId;
  }

  async function reached(JobName: string, RunId: string, state: RegExp): Promise<JobRun> {
    return await vi.waitFor(
      async () => {
        const { JobRun } = await glue.send(new GetJobRunCommand({ JobName, RunId }));
        expect(JobRun?.JobRunState).toMatch(state);
        return JobRun as JobRun;
      },
      { timeout: 90_000, interval: 200 },
    );
  }

  /** Files of rows. Whether there is a `_SUCCESS` beside them is a setting of the Spark that all scripts share. */
  async function parts(job: string): Promise<readonly string[]> {
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `${job}/part-` }),
    );
    return Contents.map(({ Key = '' }) => Key);
  }

  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'script.py', Body: script }));
  });

  test('a good script writes to S3 and succeeds, again and again', { timeout: 120_000 }, async () => {
    const job = await createJob();
    for (const rows of ['7', '8']) {
      const run = await reached(job, await start(job, { '--rows': rows }), /SUCCEEDED|FAILED/);
      expect(run).toMatchObject({ JobRunState: 'SUCCEEDED', Attempt: 0, Arguments: { '--rows': rows } });
      expect(run.CompletedOn!.getTime()).toBeGreaterThanOrEqual(run.StartedOn!.getTime());
    }
    expect(await parts(job)).not.toEqual([]);
    const { JobRuns = [] } = await glue.send(new GetJobRunsCommand({ JobName: job }));
    expect(JobRuns.map((run) => run.Arguments?.['--rows'])).toEqual(['8', '7']);
  });

  test('a script that raises or exits with a code fails, and says why', { timeout: 120_000 }, async () => {
    const job = await createJob();
    const raised = await start(job, { '--do': 'raise', '--day': '2026-02-30' });
    const exited = await start(job, { '--do': 'exit' });
    expect(await reached(job, raised, /SUCCEEDED|FAILED/)).toMatchObject({
      JobRunState: 'FAILED',
      ErrorMessage: 'ValueError: no such day: 2026-02-30',
    });
    expect(await reached(job, exited, /SUCCEEDED|FAILED/)).toMatchObject({
      JobRunState: 'FAILED',
      ErrorMessage: 'SystemExit: 3',
    });
  });

  test('a job has as many runs as it may, and a stopped one makes room', { timeout: 120_000 }, async () => {
    const job = await createJob(1);
    const first = await start(job, { '--do': 'work' });
    await expect(start(job)).rejects.toMatchObject({ name: 'ConcurrentRunsExceededException' });
    await reached(job, first, /RUNNING/);
    const written = async (): Promise<void> => expect(await parts(job)).not.toEqual([]);
    await vi.waitFor(written, { timeout: 90_000, interval: 200 });
    const { SuccessfulSubmissions, Errors } = await glue.send(
      new BatchStopJobRunCommand({ JobName: job, JobRunIds: [first, 'jr_unknown'] }),
    );
    expect(SuccessfulSubmissions).toEqual([{ JobName: job, JobRunId: first }]);
    expect(Errors).toMatchObject([{ JobRunId: 'jr_unknown' }]);
    await reached(job, first, /STOPPED/);
    // Both cores are free again: what the first computed has ended with it.
    await reached(job, await start(job), /SUCCEEDED/);
  });

  test('the end of a run arrives in a queue as an event', { timeout: 120_000 }, async () => {
    const job = await createJob();
    const sqs = new SQSClient(clientOptionsOf(bed));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: job }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const events = new EventBridgeClient(clientOptionsOf(bed));
    const EventPattern = JSON.stringify({
      source: ['aws.glue'],
      'detail-type': ['Glue Job State Change'],
      detail: { jobName: [job] },
    });
    await events.send(new PutRuleCommand({ Name: job, EventPattern }));
    await events.send(
      new PutTargetsCommand({ Rule: job, Targets: [{ Id: 'queue', Arn: Attributes?.['QueueArn'] }] }),
    );
    const jobRunId = await start(job, { '--do': 'exit' });
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    expect(Messages.map(({ Body }) => JSON.parse(Body ?? ''))).toMatchObject([
      {
        source: 'aws.glue',
        'detail-type': 'Glue Job State Change',
        detail: { jobName: job, jobRunId, state: 'FAILED', severity: 'ERROR' },
      },
    ]);
  });

  test('what tests do to a run from outside is what Glue then says', { timeout: 120_000 }, async () => {
    const job = await createJob();
    const faults = faultsOf(bed, job);
    await faults.inject('glue:StartJobRun', { kind: 'lose-answer' });
    // The SDK tries again and so has two: that is what a lost answer does to whoever has no key of idempotency.
    await start(job, { '--do': 'wait' });
    expect(await faults.calls('glue:StartJobRun')).toBe(2);
    const { JobRuns = [] } = await glue.send(new GetJobRunsCommand({ JobName: job }));
    const [second = '', first = ''] = JobRuns.map(({ Id }) => Id);
    await faults.endJobRun(first, 'TIMEOUT');
    await faults.forgetJobRun(second);
    await reached(job, first, /TIMEOUT/);
    await expect(glue.send(new GetJobRunCommand({ JobName: job, RunId: second }))).rejects.toMatchObject({
      name: 'EntityNotFoundException',
    });
    await faults.fail('glue:GetJobRun', {}, 4);
    const once = new GlueClient({ ...clientOptionsOf(bed), maxAttempts: 1 });
    const look = new GetJobRunCommand({ JobName: job, RunId: first });
    await expect(once.send(look)).rejects.toMatchObject({ name: 'ThrottlingException' });
    await faults.clear();
    await once.send(look);
  });
});
