import type { Contract } from '../dag/contract.ts';
import type { DatasetRule } from '../dag/rules.ts';
import { sourceColumns, textColumn } from './casting.ts';
import { broken, datasetCheck, malformedRow, reasonsText, relatedJoins, rowRules } from './rule-sql.ts';
import type { NamedSql } from './sql-files.ts';
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
