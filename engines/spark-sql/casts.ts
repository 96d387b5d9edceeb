import { constructOf, nodeAt, textAt } from './node.ts';
import type { Node } from './node.ts';
import { floats, refusingTypes, sparkText, term } from './term.ts';
import type { Term, TermType } from './term.ts';
import type { Translator } from './translator.ts';

interface Target {
  readonly type: TermType;
  readonly spark: string;
  /** Texts that both engines read, and alike. */
  readonly text: string | null;
}

const instant = '[0-9]{4}-[0-9]{2}-[0-9]{2}';
const wholeNumber = '[+-]?[0-9]+';
const targets: Readonly<Record<string, Target>> = {
  int: { type: 'int', spark: 'int', text: wholeNumber },
  big_int: { type: 'int', spark: 'bigint', text: wholeNumber },
  double: { type: 'double', spark: 'double', text: '[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?' },
  decimal: { type: 'decimal', spark: 'decimal', text: '[+-]?[0-9]+([.][0-9]+)?' },
  text: { type: 'text', spark: 'string', text: null },
  var_char: { type: 'text', spark: 'string', text: null },
  boolean: { type: 'boolean', spark: 'boolean', text: '(true|false|TRUE|FALSE|True|False)' },
  date: { type: 'date', spark: 'date', text: instant },
  timestamp: {
    type: 'timestamp',
    spark: 'timestamp_ntz',
    text: `${instant}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?)?`,
  },
};

function targetOf(to: Node): Target | null {
  const kind = textAt(to, 'data_type');
  const target = targets[kind];
  if (
    target === undefined ||
    to['timezone'] === true ||
    (kind === 'var_char' && typeof to['length'] === 'number')
  )
    return null;
  if (kind !== 'decimal') return target;
  const { precision, scale } = to;
  if (typeof precision !== 'number' || precision > 38) return null;
  return { ...target, spark: `decimal(${precision},${typeof scale === 'number' ? scale : 0})` };
}

/** `cast` and `try_cast` to the types of columns. */
export function castTerm(how: 'cast' | 'try_cast'): (fields: Node, to: Translator, node: Node) => Term {
  return (fields, to, node) => {
    to.onlyKnows(fields, ['this', 'to'], how);
    const value = to.expression(nodeAt(fields, 'this')!);
    const target = targetOf(nodeAt(fields, 'to')!);
    if (target === null)
      return to.refuse(node, {
        found: `${how} to a type that columns do not have`,
        because: 'engines have different ones',
        portable: 'text, boolean, int, bigint, double, decimal(p,s), date or timestamp',
      });
    if (value.type === 'double' && value.whole !== true && ['int', 'decimal', 'text'].includes(target.type))
      return to.refuse(node, {
        found: `${how} of a double`,
        because: 'engines round and print doubles in different ways',
        portable: 'cast(round(x) as bigint), or decimals throughout',
      });
    const literal = constructOf(nodeAt(fields, 'this')!);
    const whole =
      target.type === 'int' || (value.whole === true && ['decimal', 'double'].includes(target.type));
    if (literal.kind === 'literal' && value.type === 'text' && target.text !== null)
      return literalCast(how, textAt(literal.fields, 'value'), value, target, to, node);
    return term(converted(how, value, target), target.type, whole);
  };
}

function literalCast(
  how: string,
  text: string,
  value: Term,
  target: Target,
  to: Translator,
  node: Node,
): Term {
  if (new RegExp(`^${target.text}$`).test(text))
    return term(`${how}(${value.sql} as ${target.spark})`, target.type);
  return to.refuse(node, {
    found: `${how} of '${text}'`,
    because: 'engines read it in different ways',
    portable: `a text that matches ${target.text}`,
  });
}

function converted(how: string, value: Term, target: Target): string {
  const plain = `${how}(${value.sql} as ${target.spark})`;
  const guarded = refusingTypes(
    value,
    refusedSources(value, target),
    `cast to ${target.spark} of another type`,
    rounded(how, value, target),
  );
  if (value.type === 'text') return strict(value, target, plain);
  if (value.type !== 'unknown') return rounded(how, value, target);
  if (target.text === null) return guarded;
  return `case when typeof(${value.sql}) = 'string' then ${strict(value, target, plain)} else ${guarded} end`;
}

/** A fraction of a decimal is rounded half away from zero by DuckDB, cut off by Spark. */
function rounded(how: string, value: Term, target: Target): string {
  const fraction = target.type === 'int' && value.type !== 'int' && value.type !== 'boolean';
  const number = fraction && ['decimal', 'double', 'unknown'].includes(value.type);
  return `${how}(${number && value.whole !== true ? `round(${value.sql})` : value.sql} as ${target.spark})`;
}

function refusedSources(value: Term, target: Target): readonly string[] {
  if (target.type === 'text') return [...floats, 'binary'];
  if (target.type === 'int' || target.type === 'decimal') return value.whole === true ? [] : floats;
  return target.type === 'timestamp' ? ['int', 'bigint'] : [];
}

/** Engines read more texts than they agree on: one that is not of the common form stops the job. */
function strict(value: Term, target: Target, cast: string): string {
  if (target.text === null) return cast;
  const form = sparkText(`\\A${target.text}\\z`);
  const message = sparkText(
    `ingot: a text that engines read in different ways as ${target.spark}: match it with a regular expression first`,
  );
  return `case when cast(${value.sql} as string) rlike ${form} or ${value.sql} is null then ${cast} else raise_error(${message}) end`;
}
