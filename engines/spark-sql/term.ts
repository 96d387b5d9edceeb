/** What is known of an expression's type from its text alone; columns are `unknown`. */
export type TermType =
  | 'unknown'
  | 'int'
  | 'decimal'
  | 'double'
  | 'text'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'interval'
  | 'list';

/** An expression in Spark's SQL. */
export interface Term {
  readonly sql: string;
  readonly type: TermType;
  /** A number without a fraction, whatever its type. */
  readonly whole?: boolean;
}

export function term(sql: string, type: TermType = 'unknown', whole = type === 'int'): Term {
  return { sql, type, whole };
}

/** A text literal of Spark, where a backslash escapes and two quotes are two literals. */
export function sparkText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

export function sparkName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/**
 * `sql`, and an error of the statement where `operand` has one of `types`: columns have no type before Spark analyses the statement,
 * and a job that stops is better than rows that differ. Spark folds the question away.
 */
export function refusingTypes(operand: Term, types: readonly string[], message: string, sql: string): string {
  if (operand.type !== 'unknown' || types.length === 0) return sql;
  const list = types.map(sparkText).join(', ');
  return `case when typeof(${operand.sql}) in (${list}) then raise_error(${sparkText(`ingot: ${message}`)}) else ${sql} end`;
}

export const floats = ['double', 'float'] as const;
