import { called } from './calls.ts';
import { constructOf, isNode, nodeAt, nodes, nodesAt, textAt } from './node.ts';
import type { Node } from './node.ts';
import { orderItems } from './queries.ts';
import { term } from './term.ts';
import type { Term } from './term.ts';
import type { Translator } from './translator.ts';

/** Functions of a window that the parser knows by kinds of their own, by the fields of their arguments. */
const kinds: Readonly<Record<string, readonly [name: string, ...fields: string[]]>> = {
  row_number: ['row_number'],
  rank: ['rank'],
  dense_rank: ['dense_rank'],
  n_tile: ['ntile', 'num_buckets'],
  lag: ['lag', 'this', 'offset', 'default'],
  lead: ['lead', 'this', 'offset', 'default'],
  first_value: ['first_value', 'this'],
  last_value: ['last_value', 'this'],
};
const ordered: ReadonlySet<string> = new Set(Object.keys(kinds));

export function windowTerm(fields: Node, to: Translator, node: Node): Term {
  to.onlyKnows(fields, ['this', 'over'], 'a window');
  const inner = nodeAt(fields, 'this')!;
  const { kind } = constructOf(inner);
  const over = nodeAt(fields, 'over')!;
  to.onlyKnows(over, ['partition_by', 'order_by', 'frame'], 'over');
  const value = called(asCall(inner, to), to, kind in kinds ? { function: {} } : inner, true);
  if (ordered.has(kind) && nodes(over['order_by']).length === 0)
    return to.refuse(node, {
      found: `${kind} without an order`,
      because: 'it is left to chance',
      portable: 'over (... order by ...)',
    });
  const partition = nodes(over['partition_by']).map((each) => to.expression(each).sql);
  const order = orderItems(over['order_by'], to);
  const parts = [
    ...(partition.length === 0 ? [] : [`partition by ${partition.join(', ')}`]),
    ...(order === '' ? [] : [`order by ${order}`]),
    ...frameText(over['frame'], to),
  ];
  return term(`${value.sql} over (${parts.join(' ')})`, value.type, value.whole === true);
}

/** The node's fields as those of a plain call. */
function asCall(inner: Node, to: Translator): Node {
  const { kind, fields } = constructOf(inner);
  const [name, ...keys] = kinds[kind] ?? [];
  if (name === undefined) return fields;
  to.onlyKnows(fields, keys, name);
  return { name, args: nodesAt(fields, keys) };
}

function frameText(frame: unknown, to: Translator): readonly string[] {
  if (!isNode(frame)) return [];
  to.onlyKnows(frame, ['kind', 'start', 'end'], 'a frame');
  const kind = textAt(frame, 'kind').toLowerCase();
  if (kind !== 'rows' && kind !== 'range')
    to.refuse(frame, {
      found: `a frame of ${kind}`,
      because: 'Spark has rows and range',
      portable: 'rows or range between',
    });
  const start = boundText(frame['start'], to);
  return [
    `${kind} between ${start} and ${frame['end'] === null ? 'current row' : boundText(frame['end'], to)}`,
  ];
}

const bounds: Readonly<Record<string, string>> = {
  CurrentRow: 'current row',
  UnboundedPreceding: 'unbounded preceding',
  UnboundedFollowing: 'unbounded following',
};

function boundText(bound: unknown, to: Translator): string {
  if (typeof bound === 'string' && bounds[bound] !== undefined) return bounds[bound];
  if (isNode(bound)) {
    const [side, amount] = Object.entries(bound)[0]!;
    if (isNode(amount) && (side === 'Preceding' || side === 'Following')) {
      const value = to.expression(amount);
      if (value.type === 'int') return `${value.sql} ${side.toLowerCase()}`;
    }
  }
  to.refuse(bound, {
    found: 'a frame',
    because: 'its ends must be known',
    portable: `a literal number; for days order by date_diff('day', date '1970-01-01', x)`,
  });
  return 'current row';
}
