import { portableFunctions } from './functions.ts';
import type { Call } from './functions.ts';
import { nodeAt, nodes, nodesAt, textAt } from './node.ts';
import type { Node } from './node.ts';
import type { Term } from './term.ts';
import type { Translator } from './translator.ts';
import { unportable } from './unportable.ts';

/** Functions that the parser knows by kinds of their own: the name, and the fields of the arguments in order. */
const kinds: Readonly<Record<string, readonly [name: string, ...fields: string[]]>> = {
  upper: ['upper', 'this'],
  lower: ['lower', 'this'],
  length: ['length', 'this'],
  substring: ['substr', 'this', 'start', 'length'],
  to_json: ['to_json', 'this'],
  year: ['year', 'this'],
  quarter: ['quarter', 'this'],
  month: ['month', 'this'],
  day: ['day', 'this'],
  hour: ['hour', 'this'],
  minute: ['minute', 'this'],
  second: ['second', 'this'],
  contains: ['contains', 'this', 'expression'],
  starts_with: ['starts_with', 'this', 'expression'],
  ends_with: ['ends_with', 'this', 'expression'],
  abs: ['abs', 'this'],
  floor: ['floor', 'this'],
  ceil: ['ceil', 'this'],
  array_length: ['array_length', 'this'],
  array_contains: ['list_contains', 'this', 'expression'],
  str_position: ['strpos', 'this', 'substr'],
  last_day: ['last_day', 'this'],
  logical_and: ['bool_and', 'this'],
  logical_or: ['bool_or', 'this'],
  sum: ['sum', 'this'],
  min: ['min', 'this'],
  max: ['max', 'this'],
  trim: ['trim', 'this', 'characters'],
  avg: ['avg', 'this'],
  any_value: ['any_value', 'this'],
  array_agg: ['array_agg', 'this'],
  string_agg: ['string_agg', 'this', 'separator'],
  sqrt: ['sqrt', 'this'],
  epoch_ms: ['epoch_ms', 'this'],
  day_of_week: ['dayofweek', 'this'],
};

const spellings: Readonly<Record<string, string>> = {
  string_split: 'split',
  datediff: 'date_diff',
  list_value: 'array',
  array_contains: 'list_contains',
  list_has: 'list_contains',
  instr: 'strpos',
  len: 'length',
  substring: 'substr',
  ceiling: 'ceil',
};

interface ReadCall {
  readonly name: string;
  readonly args: readonly Node[];
  readonly at: number | null;
}

/** How a call may have been spelled, for finding its place. */
function placed(to: Translator, names: readonly string[]): number | null {
  for (const name of names) {
    const at = to.nextCall(name);
    if (at !== null) return at;
  }
  return null;
}

function readCall(kind: string, fields: Node, to: Translator): ReadCall {
  if (kind === 'function' || kind === 'aggregate_function') {
    const written = textAt(fields, 'name').toLowerCase();
    to.onlyKnows(fields, ['args', 'filter'], written);
    return { name: spellings[written] ?? written, args: nodes(fields['args']), at: to.nextCall(written) };
  }
  if (kind === 'coalesce') {
    const at = placed(to, ['coalesce', 'ifnull']);
    return { name: 'coalesce', args: nodes(fields['expressions']), at };
  }
  if (kind === 'count') {
    to.onlyKnows(fields, ['this', 'star', 'distinct', 'filter'], 'count');
    const counted = nodeAt(fields, 'this');
    return { name: 'count', args: counted === null ? [] : [counted], at: to.nextCall('count') };
  }
  if (kind === 'extract') {
    const name = textAt(fields, 'field').toLowerCase();
    return { name, args: [nodeAt(fields, 'this')!], at: to.nextCall('extract') };
  }
  if (kind === 'if_func')
    return {
      name: 'if',
      args: nodesAt(fields, ['condition', 'true_value', 'false_value']),
      at: to.nextCall('if'),
    };
  const [name = kind, ...keys] = kinds[kind] ?? [];
  const others = Object.keys(spellings).filter((each) => spellings[each] === name);
  to.onlyKnows(fields, [...keys, 'filter', 'distinct', 'position', 'from_for_syntax', 'op'], name);
  return {
    name,
    args: nodesAt(fields, keys),
    at: placed(to, [name, ...others, 'position']),
  };
}

/** A call of a function outside of a window. */
export function callTerm(fields: Node, to: Translator, node: Node): Term {
  return called(fields, to, node, false);
}

/** A call, `over` a window or not: Spark has no `filter` there. */
export function called(fields: Node, to: Translator, node: Node, over: boolean): Term {
  const kind = Object.keys(node)[0]!;
  const { name, args, at } = readCall(kind, fields, to);
  const known = portableFunctions[name];
  if (known === undefined || (known.window === true && !over)) return refused(name, node, at, to);
  const [least, most] = known.arity;
  if (args.length < least || args.length > most)
    return to.refuse(
      node,
      {
        found: `${name} with ${args.length} arguments`,
        because: `the subset has it with ${least === most ? least : `${least} to ${most}`}`,
        portable: known.form,
      },
      at,
    );
  const filter = nodeAt(fields, 'filter');
  const call: Call = {
    args: args.map((each) => to.expression(each)),
    nodes: args,
    distinct: fields['distinct'] === true,
    filter: filter === null ? null : to.expression(filter).sql,
    over,
    refuse: (complaint) => to.refuse(node, complaint, at),
  };
  if (known.aggregate !== true && (call.filter !== null || call.distinct))
    return call.refuse({
      found: `${name} with filter or distinct`,
      because: 'it is not an aggregate',
      portable: known.form,
    });
  return known.spark(call);
}

function refused(name: string, node: Node, at: number | null, to: Translator): Term {
  const why = unportable[name];
  return to.refuse(
    node,
    {
      found: name.replaceAll(/[^a-z0-9_]/gi, ' '),
      because: why?.because ?? 'it is not in the subset',
      portable: why?.portable ?? 'one of the functions of docs/portable-sql.md',
    },
    at,
  );
}
