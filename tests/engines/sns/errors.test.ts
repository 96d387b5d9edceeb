import { expect, test } from 'vitest';
import { awsError } from '../../../engines/aws/errors.ts';
import { snsErrors } from '../../../engines/sns/errors.ts';
import { failed } from '../../aws/failed.ts';

const translate = (name: string, status = 400): Error =>
  awsError(failed(name, status), snsErrors, 'sns:Publish', 'topic t');

test.each(['ThrottledException', 'InternalErrorException', 'KMSThrottlingException', 'Throttling'])(
  '%s may pass',
  (name) => {
    expect(translate(name).name).toBe('RetryableError');
  },
);

test.each(['NotFoundException', 'InvalidParameterException', 'KMSAccessDeniedException', 'SomethingNew'])(
  '%s stays, and says what to do',
  (name) => {
    expect(translate(name).name).toBe('TerminalError');
    expect(translate(name).message).toContain(`topic t: expected sns:Publish to be answered; found ${name}`);
  },
);

test.each(['AuthorizationErrorException', 'AccessDenied'])('%s names the permission', (name) => {
  expect(translate(name, 403).name).toBe('TerminalError');
  expect(translate(name, 403).message).toMatch(/sns:Publish.*Grant/);
});
