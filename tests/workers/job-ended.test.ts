import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { GlueClient, StartJobRunCommand } from '@aws-sdk/client-glue';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import type { JobRunOrigin } from '../../engines/glue/job-events.ts';
import { jobEventHandlers } from '../../workers/job-ended.ts';
import type { OutsideEvent } from '../../workers/outside-events.ts';
import { awsEnvironment, clientOptionsOf, noBed } from '../aws/clients.ts';
import { emulated } from '../aws/emulated.ts';
import { testQueues } from '../aws/queues.ts';
import { origin, openedCluster } from '../engines/glue/glue-job.ts';
import { job } from '../ports/sql-engine/fixture.ts';
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
    signal === null || signal === undefined
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

const waits = (workflowId: string, id: string): JobRunOrigin => ({
  workflowId,
  job: { service: 'glue', id },
});

const event = (detail: OutsideEvent['detail']): OutsideEvent => ({
  source: 'aws.glue',
  detailType: 'Glue Job State Change',
  time: null,
  detail,
});

test('the workflow that waits for a job is told of its end, and of nothing but an end', async () => {
  const workflowId = await startWaiting();
  const handle = jobEventHandlers(client, async ({ jobName, jobRunId }) =>
    jobName === 'ours' ? waits(workflowId, jobRunId) : null,
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
  expect(await signalsOf(workflowId)).toEqual([told('jr_1')]);
});

test('a workflow that has ended, or never was, needs to hear nothing', async () => {
  const workflowId = await startWaiting();
  await client.workflow.getHandle(workflowId).terminate();
  for (const id of [workflowId, `never-${randomUUID()}`]) {
    const handle = jobEventHandlers(client, async () => waits(id, 'jr'))[kind]!;
    expect(await handle(event({ jobName: 'j', jobRunId: 'jr', state: 'SUCCEEDED' }), {})).toBe(
      `dropped: ${id}, which waited for j/jr, has ended`,
    );
  }
});

describe.skipIf(bed === noBed)(`\`ingot listen\` ${inject('awsMissing')}`, () => {
  const glue = new GlueClient(clientOptionsOf(bed));
  const queues = testQueues(emulated(bed));

  /** Starts a run of a cluster's job that is none of the cluster's. */
  async function startByHand(jobName: string): Promise<string> {
    const { JobRunId } = await glue.send(new StartJobRunCommand({ JobName: jobName }));
    return JobRunId!;
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
    await using opened = await openedCluster(bed);
    const ours = await opened.cluster.submit(job({ measures: [{ name: 'm', sql: 'select 1 as n' }] }), {
      ...origin,
      workflowId,
    });
    const others = await startByHand(opened.name);
    const readyFile = join(home, 'ready');
    const listener = startIngot(home, ['listen', '--ready-file', readyFile], {
      ...awsEnvironment(bed),
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      INGOT_AWS_QUEUE: url,
    });
    onTestFinished(() => void listener.kill('SIGKILL'));
    const listened = ended(listener);
    await vi.waitFor(() => expect(existsSync(readyFile)).toBe(true), { timeout: 60_000 });
    await opened.faults.fail('glue:GetJobRun', { code: 'InternalServiceException', status: 500 }, 1);
    await opened.faults.endJobRun(others, 'FAILED');
    await opened.faults.endJobRun(ours.id, 'STOPPED');
    await queues.send(url, { source: 'aws.ec2', 'detail-type': 'Odd', detail: {} });
    await vi.waitFor(async () => expect(await signalsOf(workflowId)).toEqual([told(ours.id)]), {
      timeout: 60_000,
    });
    await vi.waitFor(async () => expect(await countOf(url)).toBe(0), { timeout: 20_000 });
    listener.kill('SIGTERM');
    const { code, stdout } = await listened;
    expect(code).toBe(0);
    expect(await countOf(deadUrl)).toBe(0);
    for (const line of [
      `nobody here waits for ${opened.name}/${others}`,
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
    expect(stderr).toMatch(/a queue to read events from.*INGOT_AWS_QUEUE/s);
  });
});
