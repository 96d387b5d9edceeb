import { expect, test } from 'vitest';
import { awsError } from '../../../engines/aws/errors.ts';
import { isReceiptGone, sqsErrors } from '../../../engines/sqs/errors.ts';
import { failed } from '../../aws/failed.ts';

const translate = (name: string, status = 400): Error =>
  awsError(failed(name, status), sqsErrors, 'sqs:ReceiveMessage', 'queue q');

test.each(['RequestThrottled', 'OverLimit', 'KmsThrottled', 'ServiceUnavailable'])('%s may pass', (name) => {
  expect(translate(name).name).toBe('RetryableError');
});

test.each(['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue', 'KmsAccessDenied'])(
  '%s stays, and says what to do',
  (name) => {
    expect(translate(name).name).toBe('TerminalError');
    expect(translate(name).message).toContain(
      `queue q: expected sqs:ReceiveMessage to be answered; found ${name}`,
    );
  },
);

test('a receipt that is of no use any more is no trouble; anything else is', () => {
  expect(isReceiptGone(failed('ReceiptHandleIsInvalid', 404))).toBe(true);
  expect(isReceiptGone(failed('QueueDoesNotExist', 400))).toBe(false);
});
