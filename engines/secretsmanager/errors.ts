import type { ErrorTable } from '../aws/errors.ts';

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors */
export const secretsManagerErrors: ErrorTable = {
  retryable: ['InternalServiceError'],
  terminal: {
    ResourceNotFoundException:
      'Create the secret, or correct its name, region or account; reading it takes secretsmanager:GetSecretValue.',
    DecryptionFailure: 'Grant kms:Decrypt on the secret’s key to the role.',
    InvalidParameterException: 'Correct the name or ARN of the secret.',
    InvalidRequestException:
      'The secret is not to be read now, as when it is scheduled for deletion: restore it.',
    ValidationException: 'Correct the name or ARN of the secret.',
  },
};
