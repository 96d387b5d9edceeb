import { callTerm } from './calls.ts';
import { castTerm } from './casts.ts';
import { constructOf, isNode, nodeAt, nodes, textAt } from './node.ts';
import type { Node } from './node.ts';
import { sparkName, sparkText, term } from './term.ts';
import type { Term } from './term.ts';
import { arithmetic, dividedTerm, restTerm } from './arithmetic.ts';
import type { Translator } from './translator.ts';
import { windowTerm } from './windows.ts';

type Translate = (fields: Node, to: Translator, node: Node) => Term;

export function expressionTerm(node: Node, to: Translator): Term {
  const { kind, fields } = constructOf(node);
  return (expressions[kind] ?? callTerm)(fields, to, node);
}

function sides(fields: Node, to: Translator): readonly [Term, Term] {
  return [to.expression(nodeAt(fields, 'left')!), to.expression(nodeAt(fields, 'right')!)];
}

function comparison(operator: string): Translate {
  return (fields, to) => {
    to.onlyKnows(fields, ['left', 'right'], operator);
    const [left, right] = sides(fields, to);
    return term(`(${left.sql} ${operator} ${right.sql})`, 'boolean');
  };
}

const expressions: Readonly<Record<string, Translate>> = {
  column: (fields, to) => {
    to.onlyKnows(fields, ['name', 'table'], 'a column');
    const names = [fields['table'], fields['name']]
      .filter(isNode)
      .map((name) => sparkName(textAt(name, 'name')));
    return term(names.join('.'));
  },
  literal: literalTerm,
  boolean: (fields) => term(fields['value'] === true ? 'true' : 'false', 'boolean'),
  null: () => term('null'),
  paren: (fields, to) => to.expression(nodeAt(fields, 'this')!),
  add: arithmetic('+'),
  sub: arithmetic('-'),
  mul: arithmetic('*'),
  div: dividedTerm,
  mod: restTerm,
  neg: (fields, to) => {
    const operand = to.expression(nodeAt(fields, 'this')!);
    return term(`(- ${operand.sql})`, operand.type, operand.whole);
  },
  eq: comparison('='),
  neq: comparison('<>'),
  lt: comparison('<'),
  lte: comparison('<='),
  gt: comparison('>'),
  gte: comparison('>='),
  and: comparison('and'),
  or: comparison('or'),
  null_safe_eq: comparison('<=>'),
  null_safe_neq: (fields, to) => {
    const [left, right] = sides(fields, to);
    return term(`(not (${left.sql} <=> ${right.sql}))`, 'boolean');
  },
  not: (fields, to) => term(`(not ${to.expression(nodeAt(fields, 'this')!).sql})`, 'boolean'),
  is_null: (fields, to) => tested(fields, to, 'null'),
  is_true: (fields, to) => tested(fields, to, 'true'),
  is_false: (fields, to) => tested(fields, to, 'false'),
  concat: (fields, to) => {
    const [left, right] = sides(fields, to);
    return term(`(${left.sql} || ${right.sql})`, 'text');
  },
  like: likeTerm,
  between: (fields, to) => {
    to.onlyKnows(fields, ['this', 'low', 'high', 'not'], 'between');
    const [value, low, high] = ['this', 'low', 'high'].map((key) => to.expression(nodeAt(fields, key)!).sql);
    return term(`(${value}${negated(fields)} between ${low} and ${high})`, 'boolean');
  },
  in: inTerm,
  exists: (fields, to) => {
    to.onlyKnows(fields, ['this', 'not'], 'exists');
    return term(`(${negated(fields).trimStart()} exists (${to.query(nodeAt(fields, 'this')!)}))`, 'boolean');
  },
  subquery: (fields, to) => {
    to.onlyKnows(fields, ['this'], 'a subquery');
    return term(`(${to.query(nodeAt(fields, 'this')!)})`);
  },
  case: caseTerm,
  cast: castTerm('cast'),
  try_cast: castTerm('try_cast'),
  interval: intervalTerm,
  array_func: (fields, to) => {
    const items = nodes(fields['expressions']).map((each) => to.expression(each).sql);
    return term(`array(${items.join(', ')})`, 'list');
  },
  subscript: subscriptTerm,
  window_function: windowTerm,
};

function negated(fields: Node): string {
  return fields['not'] === true ? ' not' : '';
}

function tested(fields: Node, to: Translator, what: string): Term {
  to.onlyKnows(fields, ['this', 'not'], 'is');
  return term(`(${to.expression(nodeAt(fields, 'this')!).sql} is${negated(fields)} ${what})`, 'boolean');
}

function literalTerm(fields: Node, to: Translator, node: Node): Term {
  const value = textAt(fields, 'value');
  switch (textAt(fields, 'literal_type')) {
    case 'string':
      return term(sparkText(value), 'text');
    case 'number':
      if (/^[0-9]+$/.test(value) && BigInt(value) < 2n ** 63n) return term(value, 'int');
      if (/^[0-9]*[.][0-9]*$/.test(value) && value.length <= 38) return term(value, 'decimal');
      if (/^[0-9.]+e[+-]?[0-9]+$/i.test(value)) return term(`cast('${value}' as double)`, 'double');
      break;
    case 'date':
      if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return term(`date '${value}'`, 'date');
      break;
    case 'timestamp':
      if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?$/.test(value))
        return term(`timestamp_ntz '${value}'`, 'timestamp');
      break;
  }
  return to.refuse(node, {
    found: `the literal ${value}`,
    because: 'engines read it in different ways',
    portable: `a number, 'text', date '2026-01-31' or timestamp '2026-01-31 12:00:00'`,
  });
}

/** DuckDB has no escape character unless one is named, Spark has the backslash. */
function likeTerm(fields: Node, to: Translator, node: Node): Term {
  to.onlyKnows(fields, ['left', 'right', 'not'], 'like');
  const pattern = constructOf(nodeAt(fields, 'right')!);
  const text = to.expression(nodeAt(fields, 'left')!);
  if (pattern.kind !== 'literal')
    return to.refuse(node, {
      found: 'like with a pattern that is not a literal',
      because: "a backslash in it is Spark's escape",
      portable: 'contains(...), starts_with(...) or a literal',
    });
  const escaped = textAt(pattern.fields, 'value').replaceAll('\\', '\\\\');
  return term(`(${text.sql}${negated(fields)} like ${sparkText(escaped)})`, 'boolean');
}

function inTerm(fields: Node, to: Translator): Term {
  to.onlyKnows(fields, ['this', 'expressions', 'query', 'not'], 'in');
  const value = to.expression(nodeAt(fields, 'this')!).sql;
  const query = nodeAt(fields, 'query');
  const list =
    query === null
      ? nodes(fields['expressions'])
          .map((each) => to.expression(each).sql)
          .join(', ')
      : to.query(query);
  return term(`(${value}${negated(fields)} in (${list}))`, 'boolean');
}

function caseTerm(fields: Node, to: Translator): Term {
  to.onlyKnows(fields, ['operand', 'whens', 'else_'], 'case');
  const operand = nodeAt(fields, 'operand');
  const start = operand === null ? 'case' : `case ${to.expression(operand).sql}`;
  const whens = (Array.isArray(fields['whens']) ? fields['whens'] : []).map((pair) => {
    const [condition, result] = nodes(pair).map((each) => to.expression(each));
    return [`when ${condition!.sql} then ${result!.sql}`, result!] as const;
  });
  const other = nodeAt(fields, 'else_');
  const otherwise = other === null ? null : to.expression(other);
  const results = [...whens.map(([, result]) => result), ...(otherwise === null ? [] : [otherwise])];
  const text = [
    start,
    ...whens.map(([when]) => when),
    ...(otherwise === null ? [] : [`else ${otherwise.sql}`]),
    'end',
  ];
  return term(
    `(${text.join(' ')})`,
    commonType(results),
    results.every((each) => each.whole === true),
  );
}

/** The type all have, as far as it is known; nulls fit any. */
export function commonType(terms: readonly Term[]): Term['type'] {
  const types = new Set(terms.filter((each) => each.sql !== 'null').map((each) => each.type));
  if (types.size === 1) return [...types][0]!;
  return types.has('double')
    ? 'double'
    : types.size === 2 && types.has('int') && types.has('decimal')
      ? 'decimal'
      : 'unknown';
}

const units = ['Second', 'Minute', 'Hour', 'Day', 'Month', 'Year'];

function intervalTerm(fields: Node, to: Translator, node: Node): Term {
  const amount = constructOf(nodeAt(fields, 'this') ?? {});
  const value = textAt(amount.fields, 'value');
  const unit = textAt(nodeAt(fields, 'unit') ?? {}, 'unit');
  const known = units.includes(unit) || unit === 'Week';
  if (amount.kind !== 'literal' || !/^-?[0-9]+$/.test(value) || !known)
    return to.refuse(node, {
      found: 'an interval',
      because: 'Spark knows whole numbers of one unit',
      portable: `interval '1' day * (...), with ${units.join(', ').toLowerCase()} or week`,
    });
  const [count, word] = unit === 'Week' ? [String(Number(value) * 7), 'day'] : [value, unit.toLowerCase()];
  return term(`interval '${count}' ${word}`, 'interval');
}

function subscriptTerm(fields: Node, to: Translator, node: Node): Term {
  to.onlyKnows(fields, ['this', 'index'], 'a subscript');
  const index = constructOf(nodeAt(fields, 'index')!);
  const list = to.expression(nodeAt(fields, 'this')!);
  if (index.kind !== 'literal' || !/^[1-9][0-9]*$/.test(textAt(index.fields, 'value')))
    return to.refuse(node, {
      found: 'a subscript',
      because: 'Spark counts from 0, and stops at an element that is not there',
      portable: 'a literal from 1',
    });
  return term(`try_element_at(${list.sql}, ${textAt(index.fields, 'value')})`);
}
