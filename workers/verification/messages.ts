import { openSqsMessageQueue } from '../../engines/sqs/message-queue.ts';
import type { Json } from '../../dag/json.ts';
import { openSns, awsOptions } from '../aws-watching.ts';
import { outsideEvent } from '../outside-events.ts';
import { unexpected } from './outcome.ts';
import type { Verify } from './verification.ts';

export const verifySns: Verify = async ({ config, topic, id }, checks) => {
  const notifier = await openSns(config);
  if (notifier === null) return checks.skip('notifications', 'aws.sns.topics is not set');
  if (topic === null) return checks.skip('notifications', 'no topic was given: --topic <name>');
  await checks.check(`a notification to ${topic}`, 'it is accepted; look whether it arrived', async () => {
    await notifier.notify({
      key: `verify/${id}`,
      topic,
      severity: 'info',
      title: 'Ingot verifies this account',
      message: 'Nothing is to be done.',
      context: { verification: id },
    });
    return 'accepted';
  });
};

const eventMs = 5 * 60_000;

function isEndOf(body: Json, jobRunId: string): boolean {
  return outsideEvent(body)?.detail['jobRunId'] === jobRunId;
}

/** The end of the Glue job by way of EventBridge and the queue. Messages of others are given back. */
export const verifyEvents: Verify = async ({ config, jobRunId }, checks) => {
  const { queueUrl } = config;
  if (queueUrl === null) return checks.skip('events of Glue jobs', 'aws.sqs.queue is not set');
  if (jobRunId === null) return checks.skip('events of Glue jobs', 'no Glue job ran');
  await checks.check('the end of the Glue job', `an event of ${jobRunId} in the queue`, async () => {
    const queue = await openSqsMessageQueue({ ...awsOptions(config), queueUrl });
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), eventMs);
    let state: Json = null;
    try {
      await queue.consume(
        async ({ body }) => {
          if (!isEndOf(body, jobRunId)) throw new Error('it is for somebody else');
          state = outsideEvent(body)?.detail['state'] ?? null;
          stop.abort();
        },
        { signal: stop.signal },
      );
    } finally {
      clearTimeout(timer);
      queue.close();
    }
    if (typeof state !== 'string')
      throw unexpected(
        'an event "Glue Job State Change"',
        'none within 5 minutes',
        'Make the EventBridge rule of docs/aws.md, let it send to the queue, and stop `ingot listen` meanwhile: it takes the events.',
      );
    return `it is ${String(state)}`;
  });
};
