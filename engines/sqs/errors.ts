import type { ErrorTable } from '../aws/errors.ts';

const queue = 'Create the queue, or correct its URL in aws.sqs.queue (INGOT_AWS_QUEUE).';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html */
export const sqsErrors: ErrorTable = {
  retryable: ['RequestThrottled', 'OverLimit', 'KmsThrottled'],
  terminal: {
    QueueDoesNotExist: queue,
    'AWS.SimpleQueueService.NonExistentQueue': queue,
    QueueDeletedRecently: queue,
    InvalidAddress: queue,
    InvalidAttributeName: 'Correct the queue’s set-up.',
    KmsAccessDenied: 'Grant kms:Decrypt on the queue’s key to the role.',
    KmsDisabled: 'Enable the queue’s KMS key.',
    KmsInvalidState: 'Enable the queue’s KMS key.',
    KmsNotFound: 'Give the queue a KMS key that exists.',
    KmsOptInRequired: 'Let the account use KMS.',
  },
};

/** The message was given to somebody else since, or is gone: nothing is left to do with this receipt. */
export const isReceiptGone = (error: unknown): boolean =>
  error instanceof Error &&
  ['ReceiptHandleIsInvalid', 'MessageNotInflight', 'InvalidParameterValue'].includes(error.name);
