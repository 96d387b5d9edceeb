import type { Contract } from '../dag/contract.ts';
import type { DatasetCheck, Rule, RowCheck } from '../dag/rules.ts';
import { malformedRow } from './rule-sql.ts';

function bounds({
  bounds: { min, max, exclusiveMin, exclusiveMax },
}: Extract<RowCheck, { kind: 'between' }>): string {
  return [
    ...(min === undefined ? [] : [`${exclusiveMin === true ? 'above' : 'at least'} ${min}`]),
    ...(max === undefined ? [] : [`${exclusiveMax === true ? 'below' : 'at most'} ${max}`]),
  ].join(' and ');
}

function said(check: RowCheck | DatasetCheck): string {
  switch (check.kind) {
    case 'not_null':
      return `\`${check.column}\` is not empty`;
    case 'castable':
      return `the text of \`${check.column}\` is a value of its type`;
    case 'accepted_values':
      return check.values.length > 12
        ? `\`${check.column}\` is one of ${check.values.length} known values`
        : `\`${check.column}\` is one of ${check.values.join(', ')}`;
    case 'between':
      return `\`${check.column}\` is ${bounds(check)}`;
    case 'matches':
      return `\`${check.column}\` matches \`${check.pattern}\``;
    case 'relationships':
      return `\`${check.column}\` appears in \`${check.to.relation}.${check.to.column}\``;
    case 'sql':
      return `\`${check.condition}\``;
    case 'unique':
      return `${check.columns.map((column) => `\`${column}\``).join(', ')} unique`;
    case 'row_count':
      return `${check.min ?? 0} to ${check.max ?? 'any number of'} rows`;
    case 'completeness':
      return `\`${check.column}\` has a value in at least ${check.atLeast * 100} % of rows`;
    case 'freshness':
      return `newest \`${check.column}\` at most ${check.withinHours} hours before the interval's end`;
    case 'custom_sql':
      return `\`${check.failures}\` gives 0`;
  }
}

function effect(rule: Rule): string {
  const blocks = rule.severity === 'error' && rule.errorIf !== null ? `fails if ${rule.errorIf}` : '';
  if (rule.scope === 'dataset') return rule.severity === 'warn' ? `warns if ${rule.warnIf}` : blocks;
  return [rule.severity === 'warn' ? 'kept, with a warning' : 'quarantined', blocks]
    .filter((text) => text !== '')
    .join('; ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** A table and its rules as Markdown, for READMEs and `ingot docs`. */
export function contractMarkdown({ table, key, rules }: Contract): string {
  const columns = table.columns.map(
    ({ name, type, nullable, description = '' }) =>
      `| \`${name}\` | ${type}${nullable ? ', may be null' : ''} | ${cell(description)} |`,
  );
  const checks = rules.map(
    (rule) => `| \`${rule.name}\` | ${cell(rule.description ?? said(rule.check))} | ${effect(rule)} |`,
  );
  const lines = [
    `### \`${table.name}\``,
    '',
    `${table.description ?? ''} Zone ${table.zone}; ${table.partitionBy.length === 0 ? 'not partitioned' : `partitioned by \`${table.partitionBy.join('`, `')}\``}${key.length === 0 ? '' : `; key \`${key.join('`, `')}\``}.`,
    '',
    '| column | type | |',
    '|---|---|---|',
    ...columns,
  ];
  if (rules.length > 0)
    lines.push(
      '',
      `| rule | holds when | a row that breaks it |`,
      '|---|---|---|',
      ...checks,
      `| \`${malformedRow}\` | the record has exactly the declared fields and is readable | quarantined; its only reason |`,
    );
  return `${lines.join('\n')}\n`;
}
