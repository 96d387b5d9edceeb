import type { ErrorTable } from '../aws/errors.ts';

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html#API_PutMetricData_Errors */
export const cloudWatchErrors: ErrorTable = {
  retryable: ['InternalServiceFault', 'LimitExceededException', 'LimitExceeded'],
  terminal: {
    InvalidParameterCombination: 'The measurement does not fit CloudWatch: look at the message.',
    InvalidParameterCombinationException: 'The measurement does not fit CloudWatch: look at the message.',
    InvalidParameterValue: 'The measurement does not fit CloudWatch: look at the message.',
    InvalidParameterValueException: 'The measurement does not fit CloudWatch: look at the message.',
    MissingParameter: 'The measurement does not fit CloudWatch: look at the message.',
    MissingRequiredParameterException: 'The measurement does not fit CloudWatch: look at the message.',
  },
};
