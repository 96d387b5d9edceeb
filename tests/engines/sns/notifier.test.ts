import { randomUUID } from 'node:crypto';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { describe, expect, inject, test } from 'vitest';
import { allNotifiers } from '../../../engines/notify/notifier.ts';
import { attributesOf, publicationOf, subjectOf, textOf } from '../../../engines/sns/message.ts';
import { snsNotifier } from '../../../engines/sns/notifier.ts';
import { RetryableError, TerminalError } from '../../../ports/errors.ts';
import type { Notification } from '../../../ports/notifier.ts';
import { emulated } from '../../aws/emulated.ts';
import { noBed } from '../../aws/clients.ts';
import { testQueues } from '../../aws/queues.ts';

const bed = inject('aws') ?? noBed;

const notification: Notification = {
  key: 'payments/1/failed',
  topic: 'MiniPaymentsAlerts',
  severity: 'error',
  title: 'payments failed for 2026-01-01',
  message: 'bronze gave up',
  context: { dag: 'payments', run: 'r1', attempt: 3, failure: { type: 'TerminalError' } },
};

test('a subject is one line of at most 100 printable ASCII characters', () => {
  const subject = subjectOf({ ...notification, title: `Zürich – “late”\nBcc: x\t${'…'.repeat(200)}` });
  expect(subject.startsWith('[error] Zurich - "late" Bcc: x ')).toBe(true);
  expect(subject).toMatch(/^[ -~]{1,100}$/);
  expect(subjectOf({ ...notification, severity: 'info', title: '  \n ' })).toBe('Ingot');
});

test('a message holds its context as lines, and is cut where SNS would refuse it, which it says', () => {
  expect(textOf(notification)).toBe(
    'bronze gave up\n\ndag: payments\nrun: r1\nattempt: 3\nfailure: {"type":"TerminalError"}',
  );
  const long = textOf({ ...notification, message: '€'.repeat(200_000) });
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(256 * 1024);
  expect(Buffer.byteLength(long)).toBeGreaterThan(250 * 1024);
  expect(long).not.toContain('�');
  expect(long).toMatch(/\n… cut: this is the beginning of 6000\d\d bytes; SNS takes \d+\.$/);
});

test('attributes are what filter policies choose by, and never empty', () => {
  expect(attributesOf({ ...notification, context: { dag: '', run: 3 } })).toEqual({
    topic: { DataType: 'String', StringValue: 'MiniPaymentsAlerts' },
    severity: { DataType: 'String', StringValue: 'error' },
  });
});

test('only a FIFO topic gets group and de-duplication ids, the same for the same key', () => {
  const fifo = publicationOf(notification, 'arn:aws:sns:us-east-1:1:a.fifo');
  expect(fifo.MessageDeduplicationId).toMatch(/^[0-9a-f]{64}$/);
  expect(publicationOf({ ...notification, title: 'again' }, 'arn:aws:sns:us-east-1:1:a.fifo')).toMatchObject({
    MessageDeduplicationId: fifo.MessageDeduplicationId!,
    MessageGroupId: fifo.MessageGroupId!,
  });
  expect(publicationOf(notification, 'arn:aws:sns:us-east-1:1:a')).not.toHaveProperty('MessageGroupId');
});

describe.skipIf(bed === noBed)(`against emulated SNS ${inject('awsMissing')}`, () => {
  const aws = emulated(bed);
  const client = new SNSClient(aws);

  async function createTopic(
    attributes: Record<string, string> = {},
  ): Promise<{ name: string; arn: string }> {
    const name = `t-${randomUUID()}${'FifoTopic' in attributes ? '.fifo' : ''}`;
    const { TopicArn } = await client.send(new CreateTopicCommand({ Name: name, Attributes: attributes }));
    return { name, arn: TopicArn! };
  }

  async function subscribe(topic: string, queueArn: string, policy?: object): Promise<void> {
    await client.send(
      new SubscribeCommand({
        TopicArn: topic,
        Protocol: 'sqs',
        Endpoint: queueArn,
        ...(policy === undefined ? {} : { Attributes: { FilterPolicy: JSON.stringify(policy) } }),
      }),
    );
  }

  test('a queue that chooses by attributes gets what it chose, whole', async () => {
    const queues = testQueues(aws);
    const topic = await createTopic();
    const [chosen, all] = [await queues.create(), await queues.create()];
    await subscribe(topic.arn, chosen.arn, { severity: ['error'], dag: ['payments'] });
    await subscribe(topic.arn, all.arn);
    const arnPrefix = topic.arn.slice(0, -topic.name.length);
    const sns = allNotifiers({ sns: snsNotifier({ ...aws, topics: { arnPrefix } }) });
    const told = { ...notification, topic: topic.name };
    await sns.notify({ ...told, severity: 'info', title: 'fine' });
    await sns.notify(told);
    await sns.notify({ ...told, context: { dag: 'others' } });
    const got = (await queues.take(chosen.url, 2)).map((body) => JSON.parse(body) as Record<string, unknown>);
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({
      Subject: '[error] payments failed for 2026-01-01',
      Message: textOf(notification),
      MessageAttributes: { run: { Type: 'String', Value: 'r1' } },
    });
    expect(await queues.take(all.url, 2)).toHaveLength(3);
  });

  test('a topic is found by its name, also a FIFO one and beyond the first page, and never made', async () => {
    const queues = testQueues(aws);
    const plain = await createTopic();
    const fifo = await createTopic({ FifoTopic: 'true' });
    for (let n = 0; n < 101; n += 1) await createTopic();
    const queue = await queues.create();
    await subscribe(plain.arn, queue.arn);
    const sns = snsNotifier({ ...aws, topics: 'by name' });
    await sns.notify({ ...notification, topic: plain.name });
    await sns.notify({ ...notification, topic: fifo.name.replace('.fifo', '') });
    expect(await queues.take(queue.url, 2)).toHaveLength(1);
    const gone = sns.notify({ ...notification, topic: 'nobody-made-it' });
    await expect(gone).rejects.toThrow(TerminalError);
    await expect(gone).rejects.toThrow(/topic nobody-made-it.*Ingot creates none/);
    await expect(sns.notify({ ...notification, topic: 'nobody-made-it' })).rejects.toThrow(TerminalError);
  });

  test('a topic that is not there is refused with what to do', async () => {
    const topic = await createTopic();
    const arnPrefix = topic.arn.slice(0, -topic.name.length);
    const gone = snsNotifier({ ...aws, topics: { arnPrefix } }).notify({ ...notification, topic: 'gone' });
    await expect(gone).rejects.toThrow(TerminalError);
    await expect(gone).rejects.toThrow(/:gone: expected sns:Publish.*Create the topic.*INGOT_AWS_TOPICS/);
  });

  test('SNS out of reach is tried again', async () => {
    const nowhere = snsNotifier({
      ...aws,
      endpoint: 'http://127.0.0.1:9',
      topics: { arnPrefix: 'arn:aws:sns:us-east-1:1:' },
    });
    await expect(nowhere.notify(notification)).rejects.toThrow(RetryableError);
  });
});
