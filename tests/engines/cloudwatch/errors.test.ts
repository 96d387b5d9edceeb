import { expect, test } from 'vitest';
import { awsError } from '../../../engines/aws/errors.ts';
import { cloudWatchErrors } from '../../../engines/cloudwatch/errors.ts';
import { failed } from '../../aws/failed.ts';

const translate = (name: string, status = 400): string =>
  awsError(failed(name, status), cloudWatchErrors, 'cloudwatch:PutMetricData', 'namespace n').name;

test.each(['InternalServiceFault', 'LimitExceeded', 'Throttling'])('%s may pass', (name) => {
  expect(translate(name)).toBe('RetryableError');
});

test.each(['InvalidParameterValue', 'MissingParameter', 'AccessDenied'])('%s stays', (name) => {
  expect(translate(name)).toBe('TerminalError');
});
