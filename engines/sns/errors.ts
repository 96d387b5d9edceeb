import type { ErrorTable } from '../aws/errors.ts';

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors */
export const snsErrors: ErrorTable = {
  retryable: ['InternalErrorException', 'InternalError', 'ThrottledException', 'KMSThrottlingException'],
  terminal: {
    NotFoundException: 'Create the topic, or correct aws.sns.topics (INGOT_AWS_TOPICS).',
    NotFound: 'Create the topic, or correct aws.sns.topics (INGOT_AWS_TOPICS).',
    AuthorizationErrorException: 'Grant the action on the topic to the role.',
    AuthorizationError: 'Grant the action on the topic to the role.',
    InvalidParameterException: 'Correct the ARN in aws.sns.topics (INGOT_AWS_TOPICS), or the topic’s name.',
    InvalidParameterValueException: 'Correct the notification: the topic does not take it.',
    InvalidSecurityException: 'Correct the credentials the worker has.',
    EndpointDisabledException: 'Enable the endpoint in SNS.',
    KMSAccessDeniedException: 'Grant kms:GenerateDataKey* and kms:Decrypt on the topic’s key to the role.',
    KMSDisabledException: 'Enable the topic’s KMS key.',
    KMSInvalidStateException: 'Enable the topic’s KMS key.',
    KMSNotFoundException: 'Give the topic a KMS key that exists.',
    KMSOptInRequired: 'Let the account use KMS.',
  },
};
