import type { ErrorTable } from '../aws/errors.ts';

/** What the Glue Data Catalog and Glue's crawlers say, beyond what every service says. */
export const catalogErrors: ErrorTable = {
  retryable: [
    'ConcurrentModificationException',
    'VersionMismatchException',
    'ResourceNotReadyException',
    'FederationSourceRetryableException',
    'CrawlerRunningException',
    'CrawlerStoppingException',
    'SchedulerTransitioningException',
  ],
  terminal: {
    InvalidInputException: 'Glue refuses the definition as it is: look at the message.',
    ValidationException: 'Glue refuses the definition as it is: look at the message.',
    GlueEncryptionException: 'Grant the role the use of the key that encrypts the catalog.',
    ResourceNumberLimitExceededException:
      'Ask AWS to raise the quota of the account, or remove what is not needed.',
    OperationNotSupportedException: 'The catalog of this account refuses such a call: look at the message.',
  },
};
