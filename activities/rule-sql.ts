import type { Contract } from '../dag/contract.ts';
import { isRowRule } from '../dag/rules.ts';
import type { Bounds, DatasetRule, RowRule } from '../dag/rules.ts';
import { keepsText } from './casting.ts';
import { literal, quoted, wholeMatch } from './sql-text.ts';

/** Reason of a record that could not be split into fields; it has no other. */
export const malformedRow = 'malformed_row';

function textOf(source: Contract, name: string): string {
  const column = source.table.columns.find((each) => each.name === name)!;
  return `t.${quoted(keepsText(source, column) ? `${name}_text` : name)}`;
}

function bound(value: string): string {
  if (/^-?[0-9]+([.][0-9]+)?$/.test(value)) return value;
  return `cast(${literal(value)} as ${value.length > 10 ? 'timestamp' : 'date'})`;
}

function outside(column: string, bounds: Bounds): string {
  const below =
    bounds.min === undefined
      ? []
      : [`${column} ${bounds.exclusiveMin === true ? '<=' : '<'} ${bound(bounds.min)}`];
  const above =
    bounds.max === undefined
      ? []
      : [`${column} ${bounds.exclusiveMax === true ? '>=' : '>'} ${bound(bounds.max)}`];
  return [...below, ...above].join(' or ') || 'false';
}

/** A condition over a typed row `t` that is true where the row breaks the rule. */
export function broken(source: Contract, rule: RowRule): string {
  const { check } = rule;
  switch (check.kind) {
    case 'not_null': {
      const text = textOf(source, check.column);
      return `(${text} is null or ${text} = '')`;
    }
    case 'castable':
      return `t.${quoted(check.column)} is null`;
    case 'accepted_values':
      return `t.${quoted(check.column)} not in (${check.values.map(literal).join(', ')})`;
    case 'between':
      return `(${outside(`t.${quoted(check.column)}`, check.bounds)})`;
    case 'matches':
      return `not ${wholeMatch(textOf(source, check.column), check.pattern)}`;
    case 'relationships':
      return `(t.${quoted(check.column)} is not null and ${relatedName(rule)}.found is null)`;
    case 'sql':
      return `not (${check.condition})`;
  }
}

function relatedName(rule: RowRule): string {
  return `related_${rule.name}`;
}

/** Joins that the conditions of `relationships` rules look at; engines do not allow a subquery inside a case. */
export function relatedJoins(rules: readonly RowRule[]): string {
  return rules
    .map((rule) => {
      if (rule.check.kind !== 'relationships') return '';
      const { column, to } = rule.check;
      const name = relatedName(rule);
      return `\nleft join (select distinct ${quoted(to.column)} as found from ${to.relation}) ${name} on ${name}.found = t.${quoted(column)}`;
    })
    .join('');
}

export function rowRules(contract: Contract, severity: RowRule['severity']): readonly RowRule[] {
  return contract.rules.filter(isRowRule).filter((rule) => rule.severity === severity);
}

/** All reasons of a typed row in order of their names, joined by commas; empty for a good row. */
export function reasonsText(source: Contract): string {
  const rules = [...rowRules(source, 'error')].sort((a, b) => (a.name < b.name ? -1 : 1));
  const cases = rules.map((rule) => `      case when ${broken(source, rule)} then ${literal(rule.name)} end`);
  const reasons = cases.length === 0 ? `''` : `concat_ws(',',\n${cases.join(',\n')}\n    )`;
  return `case when t.malformed then ${literal(malformedRow)} else ${reasons} end`;
}

/** A select of (slice, checked, failed) for a rule about all rows of each slice of `relation`. */
export function datasetCheck(rule: DatasetRule, relation: string, slice: string): string {
  const { check } = rule;
  const by = quoted(slice);
  const row = (failed: string): string =>
    `select cast(${by} as text) as slice, count(*) as checked, ${failed} as failed from ${relation} group by ${by}`;
  const flag = (condition: string): string => `case when ${condition} then 1 else 0 end`;
  switch (check.kind) {
    case 'unique': {
      const columns = check.columns.map(quoted).join(', ');
      return `select cast(${by} as text) as slice, sum(copies) as checked, sum(copies - 1) as failed
from (select ${by}, ${columns}, count(*) as copies from ${relation} group by ${by}, ${columns}) u group by ${by}`;
    }
    case 'row_count': {
      const tests = [
        ...(check.min === null ? [] : [`count(*) < ${check.min}`]),
        ...(check.max === null ? [] : [`count(*) > ${check.max}`]),
      ];
      return row(flag(tests.join(' or ') || 'false'));
    }
    case 'completeness':
      return row(flag(`count(${quoted(check.column)}) < ${check.atLeast} * count(*)`));
    case 'freshness':
      return `select cast(${by} as text) as slice, count(*) as checked,
  ${flag(`max(${quoted(check.column)}) is null or max(${quoted(check.column)}) < max(run.interval_end) - interval '${check.withinHours}' hour`)} as failed
from ${relation} cross join run group by ${by}`;
    case 'custom_sql':
      return `select '' as slice, 1 as checked, (${check.failures}) as failed`;
  }
}

/** Failed checks of a slice without rows, for which a grouped select gives nothing. */
export function failedWhenEmpty({ check }: DatasetRule): number {
  if (check.kind === 'row_count') return (check.min ?? 0) > 0 ? 1 : 0;
  return check.kind === 'freshness' ? 1 : 0;
}
