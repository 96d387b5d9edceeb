import type { QueryExecution } from '@aws-sdk/client-athena';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { ErrorTable } from '../aws/errors.ts';

/** What Athena says to a call, beyond what every service says. */
export const athenaErrors: ErrorTable = {
  retryable: ['MetadataException'],
  terminal: {
    InvalidRequestException: 'Athena refuses the request as it is: look at the message.',
    ResourceNotFoundException: 'Create the workgroup, or correct its name in the configuration.',
  },
};

/** Athena's categories of a query's failure: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html */
const category = { system: 1, user: 2 } as const;

/** A query that read more than this and failed is not for us to run again: every try is paid for. */
const cheapBytes = 1 << 30;

const isOverCap = /bytes scanned limit was exceeded/i;
const isExhausted = /exhausted resources|EXCEEDED_MEMORY_LIMIT|too many (requests|queries)|capacity/i;
const isDenied = /access ?denied|not authorized|insufficient permission/i;
const positioned = /line (\d+):(\d+): */;

/** From a place in the SQL that was sent to the one in the SQL that was given. */
export type PlaceOf = (line: number, column: number) => { readonly line: number; readonly column: number };

/** Where and what, from `SYNTAX_ERROR: line 2:3: Column 'x' cannot be resolved`. */
function mistake(message: string, placeOf: PlaceOf): { place?: string; found: string } {
  const at = positioned.exec(message);
  if (at === null) return { found: message };
  const { line, column } = placeOf(Number(at[1]), Number(at[2]));
  return { place: `line ${line}, column ${column}`, found: message.replace(positioned, '') };
}

export function overCap(scanned: number, cap: number | undefined): TerminalError {
  return new TerminalError({
    place: 'query',
    expected: `to read at most ${cap === undefined ? 'what the workgroup allows' : `${cap} bytes`}`,
    found: `that ${scanned} bytes were read when it was stopped`,
    remedy: 'Name the partitions it needs in the where clause, or raise the limit of the workgroup.',
  });
}

/** A query that is refused before it runs, with its place if Athena gives one. */
export function refusedQuery(message: string, placeOf: PlaceOf): TerminalError | null {
  if (!positioned.test(message)) return null;
  return new TerminalError({
    expected: 'SQL that Athena accepts',
    ...mistake(message, placeOf),
    remedy: 'Correct the SQL.',
  });
}

/** Why a query that has ended has no result. */
export function endedWithout(
  { QueryExecutionId: id, Status = {}, Statistics }: QueryExecution,
  placeOf: PlaceOf,
  cap: number | undefined,
): Error {
  const reason = Status.AthenaError?.ErrorMessage ?? Status.StateChangeReason ?? 'no reason given';
  const scanned = Statistics?.DataScannedInBytes ?? 0;
  if (isOverCap.test(reason)) return overCap(scanned, cap);
  const place = `query ${id}`;
  if (Status.State === 'CANCELLED')
    return new TerminalError({
      place,
      expected: 'the query to end by itself',
      found: `that somebody stopped it (${reason})`,
      remedy: 'Ask again if the answer is still wanted.',
    });
  const { ErrorCategory, Retryable } = Status.AthenaError ?? {};
  const { found, place: where } = mistake(reason, placeOf);
  const mayHelp =
    ErrorCategory !== category.user &&
    (ErrorCategory === category.system || Retryable === true || isExhausted.test(reason));
  const facts = { place: where ?? place, expected: 'Athena to answer the query', found };
  if (!mayHelp)
    return new TerminalError({
      ...facts,
      remedy: isDenied.test(reason) ? 'Grant the role what the message names.' : 'Correct the SQL.',
    });
  if (scanned > cheapBytes)
    return new TerminalError({
      ...facts,
      found: `${found}, after ${scanned} bytes were read`,
      remedy: 'The same query may succeed later; it read too much to be repeated without being asked for.',
    });
  return new RetryableError({ ...facts, remedy: 'The same query may be asked again.' });
}
