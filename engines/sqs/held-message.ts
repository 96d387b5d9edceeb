import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { awsError } from '../aws/errors.ts';
import { isReceiptGone, sqsErrors } from './errors.ts';

/** A received message, as long as it is ours to handle. */
export interface HeldMessage {
  /** Gone for good. */
  remove(): Promise<void>;
  /** Given to whoever asks once the pause is over. */
  giveBack(pauseSeconds: number): Promise<void>;
  /** Hides it from others for as long as it is held, until disposed of. */
  hide(): Disposable;
}

export interface Receipt {
  readonly queueUrl: string;
  readonly handle: string;
  /** How long it stays hidden unless that is extended. */
  readonly visibilitySeconds: number;
}

type Trouble = (error: Error) => void;

/** SQS may have given the message to another reader meanwhile; that it comes twice is for its handler to recognise. */
export function heldMessage(client: SQSClient, receipt: Receipt, trouble: Trouble): HeldMessage {
  const { queueUrl: QueueUrl, handle: ReceiptHandle, visibilitySeconds } = receipt;

  async function attempt(action: string, send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (!isReceiptGone(error)) trouble(awsError(error, sqsErrors, action, QueueUrl));
    }
  }

  const hideFor = (VisibilityTimeout: number): Promise<void> =>
    attempt('sqs:ChangeMessageVisibility', () =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout })),
    );

  return {
    remove: () =>
      attempt('sqs:DeleteMessage', () => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))),
    giveBack: hideFor,
    hide: () => {
      // At half the time one lost call does no harm.
      const timer = setInterval(() => void hideFor(visibilitySeconds), visibilitySeconds * 500);
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
  };
}
