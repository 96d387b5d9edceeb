import type { ErrorTable } from '../aws/errors.ts';

/** Tokens are signed here: what fails are credentials and region, and the services those come from. */
export const rdsErrors: ErrorTable = { retryable: [], terminal: {} };
