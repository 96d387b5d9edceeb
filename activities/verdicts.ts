import type { JsonObject } from '../dag/json.ts';
import { parseThreshold } from '../dag/rules.ts';
import type { DatasetRule, Rule, RowRule, Threshold } from '../dag/rules.ts';
import type { Account, RuleResult } from '../ports/ledger.ts';
import type { ResultRow } from '../ports/sql-engine.ts';
import { sourceColumns } from './casting.ts';
import type { Checks } from './checks.ts';
import { failedWhenEmpty, malformedRow } from './rule-sql.ts';

/** Whether `failed` of `checked` reaches a threshold. */
function reaches(threshold: Threshold, failed: number, checked: number): boolean {
  const { strict, value, percent } = parseThreshold(threshold);
  const found = percent ? (checked === 0 ? 0 : (failed / checked) * 100) : failed;
  return strict ? found > value : found >= value;
}

function outcome(rule: Rule, failed: number, checked: number): RuleResult['outcome'] {
  if (rule.severity === 'error' && rule.errorIf !== null && reaches(rule.errorIf, failed, checked))
    return 'fail';
  return reaches(rule.warnIf, failed, checked) ? 'warn' : 'pass';
}

function number(row: ResultRow | undefined, name: string): number {
  const value = row?.[name];
  return value === undefined || value === null ? 0 : Number(value);
}

/** What the checks found in one slice. */
export interface Verdict {
  readonly slice: string;
  readonly rules: readonly RuleResult[];
  readonly fates: Readonly<Record<string, number>>;
  readonly accepted: number;
  readonly quarantined: number;
  readonly summary: JsonObject;
}

/** Reads the measures back. `slices` are the slices that exist, in order; one without rows gets a verdict too. */
export function verdicts(
  checks: Checks,
  slices: readonly string[],
  measures: Readonly<Record<string, readonly ResultRow[]>>,
): readonly Verdict[] {
  return slices.map((slice) => {
    const of = (name: string): ResultRow | undefined => measures[name]?.find((row) => row['slice'] === slice);
    return verdict(
      checks,
      slice,
      of('tallies'),
      of('reasons'),
      (rule) => of(`rule_${rule.name}`) ?? measures[`rule_${rule.name}`]?.find((row) => row['slice'] === ''),
    );
  });
}

function verdict(
  checks: Checks,
  slice: string,
  tallies: ResultRow | undefined,
  reasons: ResultRow | undefined,
  dataset: (rule: DatasetRule) => ResultRow | undefined,
): Verdict {
  const checked = number(tallies, 'checked');
  const counted = checks.contract.rules.map((rule): RuleResult => {
    const { failed, of } =
      rule.scope === 'row'
        ? { failed: failedRows(rule, tallies, reasons), of: checked }
        : failedChecks(rule, dataset(rule));
    return {
      table: checks.accepts.name,
      partition: `${checks.by}=${slice}`,
      rule: rule.name,
      severity: rule.severity,
      outcome: outcome(rule, failed, of),
      checked: of,
      failed,
      details: {},
    };
  });
  const fates = Object.fromEntries(checks.fates.map((fate) => [fate, number(tallies, `fate_${fate}`)]));
  const part = {
    slice,
    rules: counted,
    fates,
    accepted: number(tallies, 'accepted'),
    quarantined: number(reasons, 'quarantined'),
  };
  return { ...part, summary: summaryOf(checks, part, tallies, reasons) };
}

function failedChecks(
  rule: DatasetRule,
  row: ResultRow | undefined,
): { readonly failed: number; readonly of: number } {
  if (row === undefined) return { failed: failedWhenEmpty(rule), of: 0 };
  return { failed: number(row, 'failed'), of: number(row, 'checked') };
}

function failedRows(rule: RowRule, tallies: ResultRow | undefined, reasons: ResultRow | undefined): number {
  return rule.severity === 'warn'
    ? number(tallies, `warned_${rule.name}`)
    : number(reasons, `failed_${rule.name}`);
}

/** Six decimals, so that the text is the same wherever it is computed. */
function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Number((part / whole).toFixed(6));
}

function summaryOf(
  { contract, by, counts = {} }: Checks,
  { slice, rules, fates, accepted, quarantined }: Omit<Verdict, 'summary'>,
  tallies: ResultRow | undefined,
  reasons: ResultRow | undefined,
): JsonObject {
  const malformed = number(reasons, `failed_${malformedRow}`);
  const read = number(tallies, 'rows_read');
  const worst = rules.some((rule) => rule.outcome === 'fail')
    ? 'fail'
    : rules.some((rule) => rule.outcome === 'warn') || malformed > 0
      ? 'warn'
      : 'pass';
  return {
    [by]: slice,
    verdict: worst,
    rows: { bronze: read, curated: accepted, audit: quarantined, ...fates },
    ...Object.fromEntries(Object.keys(counts).map((name) => [name, number(tallies, `count_${name}`)])),
    malformed_rows: malformed,
    rules: Object.fromEntries(
      rules.map(({ rule, severity, outcome: result, checked, failed }) => [
        rule,
        { severity, outcome: result, passed: checked - failed, failed },
      ]),
    ),
    null_rates: Object.fromEntries(
      sourceColumns(contract).map(({ name }) => [
        name,
        share(number(tallies, `nulls_${name}`), read - number(tallies, 'malformed')),
      ]),
    ),
  };
}

/** Quarantined rows by reason, as `lake quarantine` shows them. */
export function reasonCounts(found: Verdict): JsonObject {
  const rules = found.rules
    .filter((rule) => rule.failed > 0 && rule.severity === 'error')
    .map(({ rule, failed }) => [rule, failed] as const);
  const malformed = Number(found.summary['malformed_rows']);
  return Object.fromEntries(malformed > 0 ? [[malformedRow, malformed], ...rules] : rules);
}

/** The account of a slice: what was read according to the ledger against what the model says became of it. */
export function accountOf(
  scope: string,
  by: string,
  found: Verdict,
  read: number,
  written: Readonly<Record<string, number>>,
): Account {
  return { scope, partition: `${by}=${found.slice}`, read, parts: { ...written, ...found.fates } };
}
