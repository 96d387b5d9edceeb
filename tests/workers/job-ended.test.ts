import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateJobCommand, GlueClient, StartJobRunCommand } from '@aws-sdk/client-glue';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { workflowArgument } from '../../engines/glue/job-events.ts';
import { jobEventHandlers } from '../../workers/job-ended.ts';
import type { OutsideEvent } from '../../workers/outside-events.ts';
import { awsEnvironment, clientOptionsOf, noBed, s3OptionsOf } from '../aws/clients.ts';
import { emulated } from '../aws/emulated.ts';
import { faultsOf } from '../aws/faults.ts';
import { testQueues } from '../aws/queues.ts';
import { ended, startIngot } from '../support/cli.ts';

const kind = 'aws.glue/Glue Job State Change';
const bed = inject('aws') ?? noBed;

let connection: Connection;
let client: Client;
beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection });
});
afterAll(() => connection.close());

/** A workflow that nobody runs: what it is told stays in its history. */
async function startWaiting(): Promise<string> {
  const workflowId = `waits-${randomUUID()}`;
  const handle = await client.workflow.start('waits', {
    workflowId,
    taskQueue: `nobody-${workflowId}`,
    args: [],
  });
  onTestFinished(async () => {
    await handle.terminate().catch(() => undefined);
  });
  return workflowId;
}

async function signalsOf(workflowId: string): Promise<unknown[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal == null
      ? []
      : [
          [
            signal.signalName,
            (signal.input?.payloads ?? []).map((each) => defaultPayloadConverter.fromPayload(each)),
          ],
        ],
  );
}

const told = (id: string): unknown => ['ingot.jobEnded', [{ service: 'glue', id }]];

const event = (detail: OutsideEvent['detail']): OutsideEvent => ({
  source: 'aws.glue',
  detailType: 'Glue Job State Change',
  time: null,
  detail,
});

test('the workflow that waits for a job is told of its end, and of nothing but an end', async () => {
  const workflowId = await startWaiting();
  const handle = jobEventHandlers(client, async ({ jobName }) =>
    jobName === 'ours' ? { workflowId } : null,
  )[kind]!;
  const outcomes = [
    await handle(event({ jobName: 'ours', jobRunId: 'jr_1', state: 'RUNNING' }), {}),
    await handle(event({ jobName: 'ours', jobRunId: 'jr_1', state: 'FAILED' }), {}),
    await handle(event({ jobName: 'others', jobRunId: 'jr_2', state: 'FAILED' }), {}),
    await handle(event({ jobName: 'ours', state: 'FAILED' }), {}),
  ];
  expect(outcomes).toEqual([
    'dropped: RUNNING is no end',
    `${workflowId} was told that ours/jr_1 is FAILED`,
    'dropped: nobody here waits for others/jr_2',
    'dropped: it names no job run',
  ]);
  expect(await signalsOf(workflowId)).toEqual([told('ours/jr_1')]);
});

test('a workflow that has ended, or never was, needs to hear nothing', async () => {
  const workflowId = await startWaiting();
  await client.workflow.getHandle(workflowId).terminate();
  for (const id of [workflowId, `never-${randomUUID()}`]) {
    const handle = jobEventHandlers(client, async () => ({ workflowId: id }))[kind]!;
    expect(await handle(event({ jobName: 'j', jobRunId: 'jr', state: 'SUCCEEDED' }), {})).toBe(
      `dropped: ${id}, which waited for j/jr, has ended`,
    );
  }
});

describe.skipIf(bed === noBed)(`\`ingot listen\` ${inject('awsMissing')}`, () => {
  const glue = new GlueClient(clientOptionsOf(bed));
  const queues = testQueues(emulated(bed));

  async function startJob(workflowId: string | null): Promise<{ jobName: string; jobRunId: string }> {
    const bucket = `listen-${randomUUID()}`;
    const s3 = new S3Client(s3OptionsOf(bed));
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: 'wait.py', Body: 'import time\ntime.sleep(600)\n' }),
    );
    const jobName = `listen-${randomUUID()}`;
    await glue.send(
      new CreateJobCommand({
        Name: jobName,
        Role: 'arn:aws:iam::000000000000:role/glue',
        Command: { ScriptLocation: `s3://${bucket}/wait.py` },
      }),
    );
    const Arguments = workflowId === null ? {} : { [workflowArgument]: workflowId };
    const { JobRunId } = await glue.send(new StartJobRunCommand({ JobName: jobName, Arguments }));
    return { jobName, jobRunId: JobRunId! };
  }

  /** As EventBridge is set up for the product: events of Glue jobs go to the queue. */
  async function sendEventsTo(queueUrl: string): Promise<void> {
    const events = new EventBridgeClient(clientOptionsOf(bed));
    const { Attributes } = await queues.client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
    );
    const rule = `listen-${randomUUID()}`;
    await events.send(
      new PutRuleCommand({ Name: rule, EventPattern: JSON.stringify({ source: ['aws.glue'] }) }),
    );
    await events.send(
      new PutTargetsCommand({ Rule: rule, Targets: [{ Id: 'queue', Arn: Attributes!['QueueArn']! }] }),
    );
  }

  async function countOf(queueUrl: string): Promise<number> {
    const { Attributes = {} } = await queues.client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }),
    );
    return (
      Number(Attributes['ApproximateNumberOfMessages']) +
      Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
    );
  }

  test('hears from EventBridge that a job of Glue has ended, and tells its run', async () => {
    const home = await mkdtemp(join(tmpdir(), 'ingot-listen-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    const { url, deadUrl } = await queues.withDeadLetters(3);
    await sendEventsTo(url);
    const workflowId = await startWaiting();
    const [ours, others] = [await startJob(workflowId), await startJob(null)];
    const readyFile = join(home, 'ready');
    const listener = startIngot(home, ['listen', '--ready-file', readyFile], {
      ...awsEnvironment(bed),
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      INGOT_EVENTS_QUEUE: url,
    });
    onTestFinished(() => void listener.kill('SIGKILL'));
    const listened = ended(listener);
    await vi.waitFor(() => expect(existsSync(readyFile)).toBe(true), { timeout: 60_000 });
    const faults = faultsOf(bed, ours.jobName);
    await faults.fail('glue:GetJobRun', { code: 'InternalServiceException', status: 500 }, 1);
    await faultsOf(bed, others.jobName).endJobRun(others.jobRunId, 'FAILED');
    await faults.endJobRun(ours.jobRunId, 'STOPPED');
    await queues.send(url, { source: 'aws.ec2', 'detail-type': 'Odd', detail: {} });
    await vi.waitFor(
      async () => expect(await signalsOf(workflowId)).toEqual([told(`${ours.jobName}/${ours.jobRunId}`)]),
      { timeout: 60_000 },
    );
    await vi.waitFor(async () => expect(await countOf(url)).toBe(0), { timeout: 20_000 });
    listener.kill('SIGTERM');
    const { code, stdout } = await listened;
    expect(code).toBe(0);
    expect(await countOf(deadUrl)).toBe(0);
    for (const line of [
      `nobody here waits for ${others.jobName}`,
      'aws.ec2/Odd',
      'what was under way has ended',
    ])
      expect(stdout).toContain(line);
  });

  test('says what is missing', async () => {
    const home = await mkdtemp(join(tmpdir(), 'ingot-listen-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    const { code, stderr } = await ended(startIngot(home, ['listen']));
    expect(code).toBe(1);
    expect(stderr).toMatch(/a queue to read events from.*INGOT_EVENTS_QUEUE/s);
  });
});
