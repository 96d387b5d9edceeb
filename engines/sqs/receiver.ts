import { setTimeout as delay } from 'node:timers/promises';
import { ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import type { CallOptions } from '../../ports/abortable.ts';
import { RetryableError } from '../../ports/errors.ts';
import { sendOptions } from '../aws/abort-signal.ts';
import { awsError } from '../aws/errors.ts';
import { sqsErrors } from './errors.ts';

export interface ReceiverOptions {
  readonly queueUrl: string;
  readonly visibilitySeconds: number;
  readonly waitSeconds: number;
  readonly trouble: (error: Error) => void;
}

/** At most so many messages, perhaps none; null once the reader was told to stop. */
export type Receive = (most: number, call: CallOptions) => Promise<readonly Message[] | null>;

/** Most messages SQS gives at once. */
export const maxBatch = 10;
const longestPauseMs = 30_000;

/** Asks by long polling, and goes on asking while SQS cannot be reached. */
export function receiver(client: SQSClient, options: ReceiverOptions): Receive {
  const { queueUrl, visibilitySeconds, waitSeconds, trouble } = options;

  async function receive(most: number, abortSignal?: AbortSignal): Promise<readonly Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(most, maxBatch),
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: visibilitySeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    try {
      const answer = await client.send(command, abortSignal === undefined ? {} : { abortSignal });
      return answer.Messages ?? [];
    } catch (error) {
      throw awsError(error, sqsErrors, 'sqs:ReceiveMessage', queueUrl);
    }
  }

  return async (most, call) => {
    const { abortSignal } = sendOptions(call);
    const isStopped = (): boolean => call.signal?.aborted === true;
    for (let tries = 0; !isStopped(); tries += 1) {
      try {
        return await receive(most, abortSignal);
      } catch (error) {
        if (isStopped()) return null;
        if (!(error instanceof RetryableError)) throw error;
        trouble(error);
        const pauseMs = Math.min(longestPauseMs, 250 * 2 ** Math.min(tries, 7));
        const options = abortSignal === undefined ? {} : { signal: abortSignal };
        await delay(pauseMs, undefined, options).catch(() => undefined);
      }
    }
    return null;
  };
}
