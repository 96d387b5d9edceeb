import { type ErrorTable } from '../aws/errors.ts';

/** S3's errors: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const s3Errors: ErrorTable = {
  retryable: [
    'SlowDown',
    'InternalError',
    'OperationAborted',
    'ConditionalRequestConflict',
    'BadDigest',
    'IncompleteBody',
    'RequestTimeout',
    'TokenRefreshRequired',
    'KMS.KeyUnavailableException',
    'KMS.ThrottlingException',
  ],
  terminal: {
    NoSuchBucket: 'Create the bucket, or correct its name in the configuration.',
    InvalidBucketName: 'Correct the name of the bucket in the configuration.',
    PermanentRedirect: 'The bucket is in another region: set AWS_REGION to that of the bucket.',
    TemporaryRedirect: 'The bucket is in another region, or too young: set AWS_REGION to that of the bucket.',
    AuthorizationHeaderMalformed: 'The bucket is in another region: set AWS_REGION to that of the bucket.',
    IllegalLocationConstraintException:
      'The bucket is in another region: set AWS_REGION to that of the bucket.',
    AllAccessDisabled: 'The bucket is closed to everybody: use another one.',
    AccountProblem: 'Something is wrong with the AWS account: ask AWS support.',
    RequestTimeTooSkewed: 'The clock of this machine is wrong: set it.',
    InvalidToken: 'The session token does not belong to the access key: log in again.',
    InvalidObjectState: 'The object is archived: restore it to a storage class that can be read.',
    KeyTooLongError: 'A key has at most 1,024 bytes, the prefix of the lake included: shorten it.',
    EntityTooLarge: 'An object has at most 5 TiB: write several.',
    NoSuchUpload: 'The upload was ended from outside: run the task again.',
    'KMS.DisabledException': 'Enable the KMS key, or configure another.',
    'KMS.NotFoundException': 'Configure a KMS key that exists in the region of the bucket.',
    'KMS.KMSInvalidStateException': 'Enable the KMS key, or configure another.',
    'KMS.InvalidKeyUsageException': 'Configure a symmetric KMS key.',
  },
};
