import type { Contract } from '../dag/contract.ts';
import type { JsonObject } from '../dag/json.ts';
import { parseThreshold } from '../dag/rules.ts';
import type { DatasetRule, Rule, RowRule, Threshold } from '../dag/rules.ts';
import type { Account, RuleResult } from '../ports/ledger.ts';
import type { ResultRow } from '../ports/sql-engine.ts';
import { sourceColumns, textColumn } from './casting.ts';
import {
  broken,
  datasetCheck,
  failedWhenEmpty,
  malformedRow,
  reasonsText,
  relatedJoins,
  rowRules,
} from './rule-sql.ts';
import { literal, quoted, selectList } from './sql-text.ts';

/**
 * Checks typed rows against the rules of their source's contract and says what becomes of each: kept (`accepted`), quarantined with
 * every reason (`rejected`), or dropped beforehand. The rows are read once for the verdicts; only keys of those
 * that are not kept are written down.
 */
export interface Checks {
  /** The source's contract: its rules are the checks. */
  readonly contract: Contract;
  /** The relation of typed rows (as `castSelect` makes them) of the slices that are computed. */
  readonly rows: string;
  /** Slices are told apart by this column. */
  readonly by: string;
  /** A step with the rows dropped beforehand: the row's place and `fate`, one of `fates`. */
  readonly dropped: string;
  readonly fates: readonly string[];
  /** The table that gets the accepted rows: rule results are kept under its name. */
  readonly accepts: Contract;
  /** Counts of accepted rows to be kept with the summary, by name: conditions over a row `t`. */
  readonly counts?: Readonly<Record<string, string>>;
}

interface NamedSql {
  readonly name: string;
  readonly sql: string;
}

function place(by: string, a: string, b: string): string {
  return [quoted(by), 'source_file', 'line_number']
    .map((column) => `${a}.${column} = ${b}.${column}`)
    .join(' and ');
}

/** Relations that exist as text only; a file that names one gets it as a common table expression. */
export function checkViews(checks: Checks): readonly NamedSql[] {
  const { contract, rows, by } = checks;
  const rules = rowRules(contract, 'error');
  return [
    {
      name: 'checked',
      sql: `select t.*,\n    ${reasonsText(contract)} as reasons_text\nfrom ${rows} t${relatedJoins(rules)}`,
    },
    {
      name: 'accepted',
      sql: `select t.* from ${rows} t\nwhere not exists (select 1 from excluded x where ${place(by, 'x', 't')})`,
    },
  ];
}

/** Relations that are written down, after the steps before them. */
export function checkSteps({ by, dropped }: Checks): readonly NamedSql[] {
  return [
    {
      name: 'rejected',
      sql: `select c.*, split(c.reasons_text, ',') as reasons from checked c
where c.reasons_text <> '' and not exists (select 1 from ${dropped} d where ${place(by, 'd', 'c')})`,
    },
    {
      name: 'excluded',
      sql: `select ${quoted(by)}, source_file, line_number, fate from ${dropped}
union all
select ${quoted(by)}, source_file, line_number, 'audit' as fate from rejected`,
    },
  ];
}

/** Small selects from which the verdict is made. */
export function checkMeasures(checks: Checks): readonly NamedSql[] {
  const datasets = datasetRules(checks.contract);
  return [
    { name: 'tallies', sql: talliesSql(checks) },
    { name: 'reasons', sql: reasonsSql(checks) },
    ...datasets.map((rule) => ({
      name: `rule_${rule.name}`,
      sql: datasetCheck(rule, 'accepted', checks.by),
    })),
  ];
}

function datasetRules(contract: Contract): readonly DatasetRule[] {
  return contract.rules.filter((rule) => rule.scope === 'dataset');
}

function talliesSql({ contract, rows, by, fates, counts = {} }: Checks): string {
  const flag = (condition: string, name: string): string =>
    `sum(case when ${condition} then 1 else 0 end) as ${name}`;
  const warnings = rowRules(contract, 'warn');
  const good = "(x.fate is null or x.fate = 'audit') and not t.malformed";
  const nulls = sourceColumns(contract).map((column) =>
    flag(`t.${quoted(textColumn(contract, column))} = '' and not t.malformed`, `nulls_${column.name}`),
  );
  const items = [
    `cast(t.${quoted(by)} as text) as slice`,
    'count(*) as rows_read',
    flag('t.malformed', 'malformed'),
    flag(good, 'checked'),
    flag('x.fate is null', 'accepted'),
    ...fates.map((fate) => flag(`x.fate = ${literal(fate)}`, `fate_${fate}`)),
    ...nulls,
    ...warnings.map((rule) => flag(`${good} and ${broken(contract, rule)}`, `warned_${rule.name}`)),
    ...Object.entries(counts).map(([name, condition]) =>
      flag(`x.fate is null and ${condition}`, `count_${name}`),
    ),
  ];
  return `select\n${selectList(items)}\nfrom ${rows} t\nleft join excluded x on ${place(by, 'x', 't')}${relatedJoins(warnings)}\ngroup by t.${quoted(by)}`;
}

function reasonsSql({ contract, by }: Checks): string {
  const names = [malformedRow, ...rowRules(contract, 'error').map((rule) => rule.name)];
  const counts = names.map(
    (name) =>
      `sum(case when contains(concat(',', reasons_text, ','), ',${name},') then 1 else 0 end) as failed_${name}`,
  );
  return `select\n${selectList([`cast(${quoted(by)} as text) as slice`, 'count(*) as quarantined', ...counts])}\nfrom rejected group by ${quoted(by)}`;
}

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
