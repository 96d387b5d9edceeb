import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { AwsOptions } from '../../engines/aws/client-options.ts';

export interface TestQueues {
  readonly client: SQSClient;
  create(attributes?: Record<string, string>): Promise<{ readonly url: string; readonly arn: string }>;
  /** A queue that gives a message up after `tries`, and where it goes then. */
  withDeadLetters(tries: number): Promise<{ readonly url: string; readonly deadUrl: string }>;
  send(url: string, body: unknown): Promise<void>;
  /** Bodies of messages that are there, and are hidden from now on. */
  take(url: string, waitSeconds?: number): Promise<string[]>;
}

export function testQueues(options: AwsOptions): TestQueues {
  const client = new SQSClient(options);
  const create: TestQueues['create'] = async (attributes = {}) => {
    const command = new CreateQueueCommand({ QueueName: `t-${randomUUID()}`, Attributes: attributes });
    const url = (await client.send(command)).QueueUrl!;
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
    );
    return { url, arn: Attributes!['QueueArn']! };
  };
  return {
    client,
    create,
    withDeadLetters: async (tries) => {
      const dead = await create();
      const policy = { deadLetterTargetArn: dead.arn, maxReceiveCount: tries };
      const { url } = await create({ RedrivePolicy: JSON.stringify(policy) });
      return { url, deadUrl: dead.url };
    },
    send: async (url, body) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: text }));
    },
    take: async (url, waitSeconds = 0) => {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: waitSeconds,
        }),
      );
      return Messages.map(({ Body }) => Body!);
    },
  };
}
