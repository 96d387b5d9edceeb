import { constructOf, nodeAt, nodes, textAt } from './node.ts';
import type { Node } from './node.ts';
import { term } from './term.ts';
import type { Term, TermType } from './term.ts';
import type { Translator } from './translator.ts';

type Translate = (fields: Node, to: Translator, node: Node) => Term;

function operands(fields: Node, to: Translator): readonly [Term, Term] {
  return [to.expression(nodeAt(fields, 'left')!), to.expression(nodeAt(fields, 'right')!)];
}

function numberType(left: TermType, right: TermType): TermType {
  if (left === 'double' || right === 'double') return 'double';
  if (left === 'int' && right === 'int') return 'int';
  const exact = (type: TermType): boolean => type === 'int' || type === 'decimal';
  return exact(left) && exact(right) ? 'decimal' : 'unknown';
}

/** `+`, `-` and `*`. */
export function arithmetic(operator: '+' | '-' | '*'): Translate {
  return (fields, to, node) => {
    const [left, right] = operands(fields, to);
    if (left.type === 'interval' || right.type === 'interval')
      return shifted(operator, left, right, node, to);
    if (operator === '-' && left.type === 'date' && right.type === 'date')
      return to.refuse(node, {
        found: 'a date less a date',
        because: 'Spark gives an interval',
        portable: `date_diff('day', earlier, later)`,
      });
    const type = numberType(left.type, right.type);
    return term(`(${left.sql} ${operator} ${right.sql})`, type, left.whole === true && right.whole === true);
  };
}

/** DuckDB makes a timestamp of a date and an interval, Spark a date. */
function shifted(operator: string, left: Term, right: Term, node: Node, to: Translator): Term {
  if (operator === '*') {
    const factor = left.type === 'interval' ? right : left;
    if (factor.type === 'decimal' || factor.type === 'double')
      return to.refuse(node, {
        found: 'an interval times a fraction',
        because: 'engines round it in different ways',
        portable: 'a smaller unit times a whole number',
      });
    return term(`(${left.sql} * ${right.sql})`, 'interval');
  }
  const instant = (each: Term): string =>
    each.type === 'interval' || each.type === 'timestamp' ? each.sql : `cast(${each.sql} as timestamp_ntz)`;
  const both = left.type === 'interval' && right.type === 'interval';
  return term(`(${instant(left)} ${operator} ${instant(right)})`, both ? 'interval' : 'timestamp');
}

/** Whether an expression is surely not zero, or null where it would be. */
function neverZero(node: Node): boolean {
  const { kind, fields } = constructOf(node);
  if (kind === 'paren') return neverZero(nodeAt(fields, 'this')!);
  if (kind === 'literal') return /[1-9]/.test(textAt(fields, 'value'));
  if (kind !== 'function' || textAt(fields, 'name').toLowerCase() !== 'nullif') return false;
  const zero = constructOf(nodes(fields['args'])[1] ?? {});
  return zero.kind === 'literal' && /^0+$/.test(textAt(zero.fields, 'value'));
}

/** DuckDB divides everything as doubles and gives infinity for zero; Spark divides decimals and stops. */
export function dividedTerm(fields: Node, to: Translator, node: Node): Term {
  const [left, right] = operands(fields, to);
  if (left.type === 'double' && neverZero(nodeAt(fields, 'right')!))
    return term(
      `(${left.sql} / ${right.type === 'double' ? right.sql : `cast(${right.sql} as double)`})`,
      'double',
    );
  return to.refuse(node, {
    found: left.type === 'double' ? '/ by what may be zero' : '/',
    because:
      left.type === 'double'
        ? 'DuckDB gives infinity, Spark stops'
        : 'DuckDB divides as floating point, Spark divides decimals',
    portable:
      'cast(a as double) / nullif(b, 0); for exact decimals whole numbers, as in pipelines/payments/gold/daily_totals.sql',
  });
}

/** The rest has the sign of the dividend in both; of zero it is null in DuckDB, and Spark stops. */
export function restTerm(fields: Node, to: Translator, node: Node): Term {
  const [left, right] = operands(fields, to);
  if (left.type === 'double' || right.type === 'double')
    return to.refuse(node, {
      found: '% of doubles',
      because: 'by zero it is not null',
      portable: '% of whole numbers',
    });
  const divisor = neverZero(nodeAt(fields, 'right')!) ? right.sql : `nullif(${right.sql}, 0)`;
  return term(
    `(${left.sql} % ${divisor})`,
    numberType(left.type, right.type),
    left.whole === true && right.whole === true,
  );
}
