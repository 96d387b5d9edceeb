import type { Fields } from './call.ts';

const user = 2;
const system = 1;

/** DuckDB's kinds of error by what Athena says first. */
const codes: readonly (readonly [kind: RegExp, code: string, category: number])[] = [
  [/^Catalog Error: Table/, 'TABLE_NOT_FOUND', user],
  [/^Catalog Error: (Scalar|Aggregate|Table) Function/, 'FUNCTION_NOT_FOUND', user],
  [/^Catalog Error/, 'SCHEMA_NOT_FOUND', user],
  [/^Binder Error: Referenced column/, 'COLUMN_NOT_FOUND', user],
  [/^(Binder|Parser) Error/, 'SYNTAX_ERROR', user],
  [/^Conversion Error/, 'INVALID_CAST_ARGUMENT', user],
  [/^(HTTP|IO) Error/, 'HIVE_CANNOT_OPEN_SPLIT', system],
  [/^NOT_SUPPORTED/, 'NOT_SUPPORTED', user],
];

export interface QueryFailure {
  readonly reason: string;
  readonly error: Fields;
}

/** The words of a failed query; behind Athena's own code stands DuckDB's message. */
export function queryFailure(error: unknown): QueryFailure {
  const message = error instanceof Error ? error.message : String(error);
  const [, code, category] = codes.find(([kind]) => kind.test(message)) ?? [
    /./,
    'GENERIC_INTERNAL_ERROR',
    system,
  ];
  const text = message.startsWith(`${code}:`) ? message : `${code}: ${message}`;
  return {
    reason: text,
    error: {
      ErrorCategory: category,
      ErrorType: category === user ? 1006 : 401,
      Retryable: category === system,
      ErrorMessage: text,
    },
  };
}
