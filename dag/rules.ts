import type { Json, JsonObject } from './json.ts';

/** A condition on the number of failed rows or checks, as in dbt: `'>0'`, `'>=100'`, or on their share: `'>5%'`. */
export type Threshold = `${'>' | '>='}${number}` | `${'>' | '>='}${number}%`;

export interface RuleOptions {
  /** What a quarantined row and the quality summary call it; `<kind>_<column>` unless told. */
  readonly name?: string;
  /**
   * `error` (default): a row that breaks a row rule goes to quarantine; a dataset rule that fails blocks publishing.
   * `warn`: the row stays and is counted.
   */
  readonly severity?: 'error' | 'warn';
  /** From here on the outcome is `warn`; `'>0'` unless told. */
  readonly warnIf?: Threshold;
  /** From here on the outcome is `fail`, which blocks publishing. Row rules have none unless told: their rows are in quarantine. Dataset rules: `'>0'`. */
  readonly errorIf?: Threshold;
  /** Share of rows that must pass, 0 to 1: another way to write `errorIf`. */
  readonly mostly?: number;
  readonly description?: string;
}

/** A check of one row. `sql` conditions are portable SQL over the row's columns that hold for a good row; null counts as good. */
export type RowCheck =
  | { readonly kind: 'not_null'; readonly column: string }
  | { readonly kind: 'castable'; readonly column: string }
  | { readonly kind: 'accepted_values'; readonly column: string; readonly values: readonly string[] }
  | { readonly kind: 'between'; readonly column: string; readonly bounds: Bounds }
  | { readonly kind: 'matches'; readonly column: string; readonly pattern: string }
  | {
      readonly kind: 'relationships';
      readonly column: string;
      readonly to: { readonly relation: string; readonly column: string };
    }
  | { readonly kind: 'sql'; readonly condition: string };

/** A check of all rows of a slice together. */
export type DatasetCheck =
  | { readonly kind: 'unique'; readonly columns: readonly string[] }
  | { readonly kind: 'row_count'; readonly min: number | null; readonly max: number | null }
  | { readonly kind: 'completeness'; readonly column: string; readonly atLeast: number }
  | { readonly kind: 'freshness'; readonly column: string; readonly withinHours: number }
  | { readonly kind: 'custom_sql'; readonly failures: string };

/** SQL literals in text form, inclusive unless `exclusive`. */
export interface Bounds {
  readonly min?: string;
  readonly max?: string;
  readonly exclusiveMin?: boolean;
  readonly exclusiveMax?: boolean;
}

interface RuleBase {
  readonly name: string;
  readonly severity: 'error' | 'warn';
  readonly warnIf: Threshold;
  readonly errorIf: Threshold | null;
  readonly description: string | null;
}

export type RowRule = RuleBase & { readonly scope: 'row'; readonly check: RowCheck };
export type DatasetRule = RuleBase & { readonly scope: 'dataset'; readonly check: DatasetCheck };
/** A check a contract declares. Names are those of the field; a {@link RowRule} yields a reason per row. */
export type Rule = RowRule | DatasetRule;

function base(fallback: string, options: RuleOptions, errorIf: Threshold | null): RuleBase {
  const mostly: Threshold | undefined =
    options.mostly === undefined ? undefined : `>${Number(((1 - options.mostly) * 100).toFixed(6))}%`;
  return {
    name: options.name ?? fallback,
    severity: options.severity ?? 'error',
    warnIf: options.warnIf ?? '>0',
    errorIf: options.errorIf ?? mostly ?? errorIf,
    description: options.description ?? null,
  };
}

function rowRule(fallback: string, check: RowCheck, options: RuleOptions): RowRule {
  return { ...base(fallback, options, null), scope: 'row', check };
}

function datasetRule(fallback: string, check: DatasetCheck, options: RuleOptions): DatasetRule {
  return { ...base(fallback, options, '>0'), scope: 'dataset', check };
}

/** The column has a value; for text, one that is not empty after trimming. */
export function notNull(column: string, options: RuleOptions = {}): RowRule {
  return rowRule(`not_null_${column}`, { kind: 'not_null', column }, options);
}

/** The source text is a value of the column's type. */
export function castable(column: string, options: RuleOptions = {}): RowRule {
  return rowRule(`castable_${column}`, { kind: 'castable', column }, options);
}

/** The column is one of `values`; null counts as good, an empty text does not. */
export function acceptedValues(
  column: string,
  values: readonly string[],
  options: RuleOptions = {},
): RowRule {
  return rowRule(`accepted_values_${column}`, { kind: 'accepted_values', column, values }, options);
}

/** The column lies within bounds given as numbers, or as dates or timestamps in ISO form. */
export function between(column: string, bounds: Bounds, options: RuleOptions = {}): RowRule {
  return rowRule(`between_${column}`, { kind: 'between', column, bounds }, options);
}

/** The column's text matches a regular expression of the subset RE2 and Java share. */
export function matches(column: string, pattern: string, options: RuleOptions = {}): RowRule {
  return rowRule(`matches_${column}`, { kind: 'matches', column, pattern }, options);
}

/** The column's value appears in a column of another relation of the model. */
export function relationships(
  column: string,
  relation: string,
  toColumn: string,
  options: RuleOptions = {},
): RowRule {
  return rowRule(
    `relationships_${column}`,
    { kind: 'relationships', column, to: { relation, column: toColumn } },
    options,
  );
}

/** A condition in portable SQL that holds for a good row. */
export function check(name: string, condition: string, options: Omit<RuleOptions, 'name'> = {}): RowRule {
  return rowRule(name, { kind: 'sql', condition }, options);
}

/** No two rows have the same values; every row too many counts as failed. */
export function unique(columns: string | readonly string[], options: RuleOptions = {}): DatasetRule {
  const list = typeof columns === 'string' ? [columns] : columns;
  return datasetRule(`unique_${list.join('_')}`, { kind: 'unique', columns: list }, options);
}

/** The slice has at least `min` and at most `max` rows. */
export function rowCount(
  range: { readonly min?: number; readonly max?: number },
  options: RuleOptions = {},
): DatasetRule {
  return datasetRule(
    'row_count',
    { kind: 'row_count', min: range.min ?? null, max: range.max ?? null },
    options,
  );
}

/** At least this share of rows (0 to 1) has a value in the column. */
export function completeness(column: string, atLeast: number, options: RuleOptions = {}): DatasetRule {
  return datasetRule(`completeness_${column}`, { kind: 'completeness', column, atLeast }, options);
}

/** The newest value of a timestamp column is at most so many hours before the end of the run's interval. */
export function freshness(column: string, withinHours: number, options: RuleOptions = {}): DatasetRule {
  return datasetRule(`freshness_${column}`, { kind: 'freshness', column, withinHours }, options);
}

/** `failures` is a select of one number, the failed rows, in portable SQL over the model's relations. */
export function customSql(
  name: string,
  failures: string,
  options: Omit<RuleOptions, 'name'> = {},
): DatasetRule {
  return datasetRule(name, { kind: 'custom_sql', failures }, options);
}

/** Splits `'>5%'` into its parts. Throws RangeError for anything else. */
export function parseThreshold(threshold: Threshold): {
  readonly strict: boolean;
  readonly value: number;
  readonly percent: boolean;
} {
  const match = /^(>=?)([0-9]+(?:\.[0-9]+)?)(%?)$/.exec(threshold);
  if (match === null)
    throw new RangeError(`Expected a threshold like '>0' or '>=5%', found ${JSON.stringify(threshold)}.`);
  return { strict: match[1] === '>', value: Number(match[2]), percent: match[3] === '%' };
}

export function isRowRule(rule: Rule): rule is RowRule {
  return rule.scope === 'row';
}

/** The rule as JSON, for hashing and documentation. */
export function ruleJson(rule: Rule): JsonObject {
  return rule as unknown as Record<string, Json>;
}
