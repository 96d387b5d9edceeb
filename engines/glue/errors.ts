import { awsError, type ErrorTable } from '../aws/errors.ts';

const table: ErrorTable = {
  retryable: [
    'ConcurrentRunsExceededException',
    'ResourceNumberLimitExceededException',
    'ConcurrentModificationException',
    'ResourceNotReadyException',
  ],
  terminal: {
    EntityNotFoundException: 'Create the job: `ingot migrate` does.',
    InvalidInputException: 'Correct the settings of the job: `ingot doctor` shows them.',
    AlreadyExistsException: 'Use another name: something else has this one.',
  },
};

/** An error of Glue as ours. `action` is the call's name, `StartJobRun`. */
export function glueError(error: unknown, action: string, place: string): Error {
  return awsError(error, table, `glue:${action}`, place);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === 'EntityNotFoundException';
}
