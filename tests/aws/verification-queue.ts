import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { clientOptionsOf } from './clients.ts';
import type { AwsBed } from './test-bed.ts';

/** URL of a new queue that has a dead-letter queue. */
export async function queueWithDeadLetters(bed: AwsBed): Promise<string> {
  const sqs = new SQSClient(clientOptionsOf(bed));
  const QueueName = `events-${randomUUID()}`;
  const dead = await sqs.send(new CreateQueueCommand({ QueueName: `${QueueName}-dead` }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: dead.QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes!['QueueArn'], maxReceiveCount: 5 });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { RedrivePolicy } }));
  sqs.destroy();
  return QueueUrl!;
}
