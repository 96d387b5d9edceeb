import { GetQueueAttributesCommand, SQSClient, type Message } from '@aws-sdk/client-sqs';
import type { Json } from '../../dag/json.ts';
import type { CallOptions } from '../../ports/abortable.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { MessageQueue, QueueMessage } from '../../ports/message-queue.ts';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { sqsErrors } from './errors.ts';
import { heldMessage } from './held-message.ts';
import { maxBatch, receiver, type Receive } from './receiver.ts';

export interface SqsOptions extends AwsOptions {
  readonly queueUrl: string;
  /** How long a message stays hidden from others unless that is extended, which it is while its handler works; 60 unless told. */
  readonly visibilitySeconds?: number;
  /** How long one question waits for messages; 20, the most SQS allows, unless told. */
  readonly waitSeconds?: number;
  /** Pause before a message whose handler failed comes again, by how often it was received; from 5 seconds to 15 minutes unless told. */
  readonly pauseSeconds?: (received: number) => number;
  /** Hears what went wrong and is tried again. */
  readonly trouble?: (error: Error) => void;
}

export interface SqsMessageQueue extends MessageQueue {
  close(): void;
}

type Handle = (message: QueueMessage, options: CallOptions) => Promise<void>;
type Work = (message: Message, handle: Handle) => Promise<void>;

export function pauseByTries(received: number): number {
  return Math.min(900, 5 * 2 ** Math.min(received - 1, 10));
}

/** A message that no handler can handle would come again for ever. */
async function refuseWithoutDeadLetters(client: SQSClient, queueUrl: string): Promise<void> {
  const attributes = await client
    .send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['RedrivePolicy'] }))
    .catch((error: unknown) => {
      throw awsError(error, sqsErrors, 'sqs:GetQueueAttributes', queueUrl);
    });
  const policy = attributes.Attributes?.['RedrivePolicy'];
  if (policy !== undefined && policy !== '') return;
  throw new TerminalError({
    place: queueUrl,
    expected: 'a queue with a redrive policy, which moves what cannot be handled to a dead-letter queue',
    found: 'no redrive policy',
    remedy: 'Give the queue a dead-letter queue, with maxReceiveCount 5 or so.',
  });
}

function parsed(body: string): { readonly value: Json } | null {
  try {
    return { value: JSON.parse(body) as Json };
  } catch {
    return null;
  }
}

function worker(client: SQSClient, options: Required<Omit<SqsOptions, keyof AwsOptions>>): Work {
  const { queueUrl, visibilitySeconds, pauseSeconds, trouble } = options;
  return async (message, handle) => {
    const receipt = { queueUrl, handle: message.ReceiptHandle!, visibilitySeconds };
    const held = heldMessage(client, receipt, trouble);
    const received = Number(message.Attributes?.ApproximateReceiveCount ?? 1);
    const body = parsed(message.Body ?? '');
    // At once: the redrive policy takes it after so many times.
    if (body === null) return held.giveBack(0);
    const hidden = held.hide();
    const error = await handle({ id: message.MessageId ?? '', body: body.value, received }, {})
      .then(() => null)
      .catch((thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))));
    hidden[Symbol.dispose]();
    if (error === null) return held.remove();
    trouble(error);
    return held.giveBack(pauseSeconds(received));
  };
}

async function consume(
  receive: Receive,
  work: Work,
  handle: Handle,
  { atOnce = maxBatch, ...call }: Parameters<MessageQueue['consume']>[1],
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  try {
    for (;;) {
      while (underWay.size >= atOnce) await Promise.race(underWay);
      const messages = await receive(atOnce - underWay.size, call);
      if (messages === null) return;
      for (const message of messages) {
        const working: Promise<void> = work(message, handle).finally(() => underWay.delete(working));
        underWay.add(working);
      }
    }
  } finally {
    await Promise.all(underWay);
  }
}

/** Reads one SQS queue, which must have a dead-letter queue. */
export async function openSqsMessageQueue(given: SqsOptions): Promise<SqsMessageQueue> {
  const options = {
    queueUrl: given.queueUrl,
    visibilitySeconds: given.visibilitySeconds ?? 60,
    waitSeconds: given.waitSeconds ?? 20,
    pauseSeconds: given.pauseSeconds ?? pauseByTries,
    trouble: given.trouble ?? (() => undefined),
  };
  // An endpoint that is configured counts, as for every other service, not the host in the queue's URL.
  const client = new SQSClient({ ...clientOptions(given), useQueueUrlAsEndpoint: false });
  try {
    await refuseWithoutDeadLetters(client, options.queueUrl);
  } catch (error) {
    client.destroy();
    throw error;
  }
  const receive = receiver(client, options);
  const work = worker(client, options);
  return {
    name: options.queueUrl.slice(options.queueUrl.lastIndexOf('/') + 1),
    consume: (handle, call) => consume(receive, work, handle, call),
    close: () => client.destroy(),
  };
}
