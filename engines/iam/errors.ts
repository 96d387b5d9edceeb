import type { ErrorTable } from '../aws/errors.ts';

/** What IAM says to a question, beyond what every service says. */
export const iamErrors: ErrorTable = {
  retryable: ['ServiceFailure', 'ConcurrentModification'],
  terminal: {
    NoSuchEntity: 'Create it, or correct its name in the configuration.',
    InvalidInput: 'IAM refuses the question as it is: look at the message.',
    PolicyEvaluation: 'Look at the policies that the message names.',
  },
};
