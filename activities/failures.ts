import { ApplicationFailure } from '@temporalio/common';
import { inspect } from 'node:util';
import { TerminalError } from '../ports/errors.ts';
import type { FailureDetails, Whereabouts } from '../ports/run-steps.ts';
import { redact } from './redact.ts';

const maxMessage = 4000;
const maxStack = 6000;
const maxCauses = 3;

function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}

function clean(text: string, limit = maxMessage): string {
  return shorten(redact(text), limit);
}

/** The name retry rules match: what the error calls itself, else its class. */
function errorType(error: Error): string {
  return error.name !== 'Error' && error.name !== '' ? error.name : error.constructor.name;
}

function thrownValue(value: unknown): string {
  const shown = inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY });
  return `Expected an Error to be thrown; found ${shown}. Throw an Error (or a TerminalError when trying again cannot help), so that the failure says where it comes from.`;
}

function failure(error: Error, details: FailureDetails[], depth = 0): ApplicationFailure {
  const { cause } = error;
  const result = ApplicationFailure.create({
    message: clean(error.message),
    type: errorType(error),
    nonRetryable: true,
    details,
    ...(cause instanceof Error && depth < maxCauses ? { cause: failure(cause, [], depth + 1) } : {}),
  });
  result.stack = clean(error.stack ?? '', maxStack);
  return result;
}

/** True when trying again cannot help. */
function isTerminal(error: Error): boolean {
  return (
    error instanceof TerminalError || (error instanceof ApplicationFailure && error.nonRetryable === true)
  );
}

/**
 * The one translation of a task's own failure. Temporal does not retry it: the run's reducer does, by the
 * bit in its details and the type.
 */
export function businessFailure(
  error: unknown,
  where: Whereabouts | null = null,
  told: Pick<FailureDetails, 'alert'> = {},
): ApplicationFailure {
  if (error instanceof Error) return failure(error, [{ retryable: !isTerminal(error), where, ...told }]);
  return failure(Object.assign(new Error(thrownValue(error)), { name: 'ThrownValue' }), [
    { retryable: true, where, ...told },
  ]);
}

/**
 * A failure that is not the task's: Temporal tries the same attempt again, here or on another worker; after its own
 * growing pauses unless `afterMs` is given.
 */
export function infrastructureFailure(type: string, error: unknown, afterMs?: number): ApplicationFailure {
  const message = error instanceof Error ? error.message : String(error);
  const result = ApplicationFailure.create({
    message: clean(message),
    type,
    nonRetryable: false,
    ...(afterMs === undefined ? {} : { nextRetryDelay: afterMs }),
  });
  if (error instanceof Error) result.stack = clean(error.stack ?? '', maxStack);
  return result;
}
