import { RetryableError, TerminalError } from '../../ports/errors.ts';
import { lossMark } from './lossless-cast.ts';

/** Raised by a statement that writes one partition, for a row that is of another. */
export const elsewhereMark = 'ingot: a row of another partition';

export class RowElsewhere extends Error {}

/** One statement sent to DuckDB: what it is called in messages, and where in its text the author's own SQL begins. */
export interface Statement {
  readonly label: string;
  readonly sql: string;
  /** The author's SQL inside `sql`, for line and column; absent when all of it is ours. */
  readonly authored?: string;
}

interface Complaint {
  readonly type: string;
  readonly message: string;
  readonly position: number | null;
  /** Of an answer of S3. */
  readonly status: number | null;
}

/** DuckDB speaks JSON (`errors_as_json`), sometimes after a prefix of its own. */
function complaint(error: unknown): Complaint {
  const text = error instanceof Error ? error.message : String(error);
  const json = text.slice(Math.max(text.indexOf('{'), 0));
  try {
    const parsed = JSON.parse(json) as {
      exception_type?: string;
      exception_message?: string;
      position?: string;
      status_code?: string;
    };
    if (typeof parsed.exception_message === 'string')
      return {
        type: parsed.exception_type ?? '',
        message: parsed.exception_message,
        position: parsed.position === undefined ? null : Number(parsed.position),
        status: parsed.status_code === undefined ? null : Number(parsed.status_code),
      };
  } catch {
    // Not JSON: taken as it is.
  }
  return {
    type: /^([A-Z][\w ]*?) Error:/.exec(text)?.[1] ?? '',
    message: text,
    position: null,
    status: null,
  };
}

/** `position` counts bytes of the whole statement. */
function lineAndColumn(statement: Statement, position: number | null): string {
  if (position === null || statement.authored === undefined) return '';
  const start = statement.sql.indexOf(statement.authored);
  const before = Buffer.from(statement.sql).subarray(0, position).toString();
  const inside = before.length - start;
  if (inside < 0 || inside > statement.authored.length) return '';
  const lines = statement.authored.slice(0, inside).split('\n');
  return `, line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
}

/** Errors about values quote them; the message must not carry data into logs and histories. */
function withoutValues(message: string): string {
  const first = message.split('\n')[0] ?? '';
  return first
    .replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, '…')
    .replaceAll(/\((?=[^)]*[-+*/ ])[^)]*\)/g, '(…)')
    .replaceAll(/(?<![\w(,.])-?\d[\d.]*/g, '…');
}

const aboutValues = new Set(['Conversion', 'Out of Range', 'Invalid Input', 'Mismatch Type', 'Constraint']);

function outOfMemory(place: string, message: string, others: boolean): TerminalError | RetryableError {
  const limit = /([\d.]+ \w+)\/([\d.]+ \w+) used/.exec(message)?.[2];
  const facts = {
    expected: `a statement that fits the memory limit${limit === undefined ? '' : ` of ${limit}`}`,
    found: others
      ? 'no memory left beside other statements running at the same time'
      : 'no memory left after spilling what can be spilled',
    remedy: others
      ? 'It is tried again; lower the number of jobs at once or raise the memory limit if it happens often.'
      : 'Raise the engine memory limit, or write the step in a form that spills (joins, group by and windows do; large lists, max_by of whole rows and string_agg do not).',
    place,
  };
  return others ? new RetryableError(facts) : new TerminalError(facts);
}

function fullDisk(place: string, message: string): RetryableError {
  return new RetryableError({
    expected: 'free space for spilled or written data',
    found: message.split('\n')[0] ?? '',
    remedy:
      'Free space in the spill folder and the lake, or move them to a larger disk; the attempt is tried again.',
    place,
  });
}

function inputOutput(place: string, message: string): TerminalError | RetryableError {
  if (/no space left|disk quota|file too large/i.test(message)) return fullDisk(place, message);
  const found = message.split('\n')[0] ?? '';
  if (/permission denied|read-only file system/i.test(message))
    return new TerminalError({
      expected: 'permission to read inputs and write outputs',
      found,
      remedy: 'Give the user the worker runs as access.',
      place,
    });
  if (/no files found|no such file|no magic bytes|too small to be a parquet|thrift|corrupt/i.test(message))
    return new TerminalError({
      expected: 'readable Parquet files',
      found,
      remedy: 'The file is gone or damaged: run the task that wrote it again.',
      place,
    });
  return new RetryableError({
    expected: 'files that can be read and written',
    found,
    remedy: 'Check disk and network; the attempt is tried again.',
    place,
  });
}

/** S3's own words stand behind an empty line of DuckDB's. */
function s3Words(message: string): string {
  return message
    .split(/\n+/)
    .slice(0, 2)
    .join(': ')
    .replaceAll(/:{2,} /g, ': ');
}

function refusedByS3(place: string, message: string, status: number): TerminalError | RetryableError {
  const found = s3Words(message);
  const facts = (expected: string, remedy: string) => ({ place, expected, found, remedy });
  if (status === 404)
    return new TerminalError(
      facts('files that are there', 'The file, or its bucket, is gone: run the task that wrote it again.'),
    );
  if (/ExpiredToken|RequestTimeout|TokenRefreshRequired/.test(message))
    return new RetryableError(facts('credentials that are still good', 'It is tried again with fresh ones.'));
  if (status === 403)
    return new TerminalError(
      facts(
        'permission for s3:GetObject and s3:ListBucket on the inputs',
        'Grant them to the role, and kms:Decrypt where objects are encrypted; or correct the credentials.',
      ),
    );
  if (status === 301 || status === 400)
    return new TerminalError(
      facts(
        'S3 to take the request',
        'Most likely the bucket is in another region: set AWS_REGION to that of the bucket.',
      ),
    );
  return new RetryableError(facts('S3 to answer', 'It is tried again.'));
}

/** Says what DuckDB refused in terms of the author's SQL. `others`: other statements were running beside this one. */
export function statementError(error: unknown, statement: Statement, place: string, others: boolean): Error {
  if (error instanceof TerminalError || error instanceof RetryableError) return error;
  const { type, message, position, status } = complaint(error);
  if (message.includes(elsewhereMark)) return new RowElsewhere();
  const where = `${place}, ${statement.label}${lineAndColumn(statement, position)}`;
  if (message.includes(lossMark)) {
    const column = message.slice(message.indexOf(lossMark) + lossMark.length);
    return new TerminalError({
      expected: `values of ${column} that fit its declared type`,
      found: 'a value that would lose digits or meaning',
      remedy: 'Round, truncate or cast it explicitly in the SQL, or widen the declared type.',
      place: where,
    });
  }
  // A full spill disk comes as memory that cannot be offloaded.
  if (/max_temp_directory_size|failed to offload/i.test(message)) return fullDisk(where, message);
  if (/out of memory/i.test(type)) return outOfMemory(where, message, others);
  if (status !== null) return refusedByS3(where, message, status);
  if (/^(IO|HTTP)$/i.test(type)) return inputOutput(where, message);
  if (/^(INTERNAL|FATAL)$/i.test(type))
    return new RetryableError({
      expected: 'DuckDB to run the statement',
      found: `an internal error of DuckDB (${withoutValues(message)})`,
      remedy: 'It is tried again on a fresh database.',
      place: where,
    });
  const found = `${type === '' ? '' : `${type} error: `}${aboutValues.has(type) ? withoutValues(message) : message}`;
  return new TerminalError({
    expected: 'SQL that DuckDB can run',
    found,
    remedy: 'Correct the SQL and run again.',
    place: where,
  });
}
