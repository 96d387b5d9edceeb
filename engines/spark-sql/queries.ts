import { constructOf, isNode, nodeAt, nodes, strangers, textAt } from './node.ts';
import type { Node } from './node.ts';
import { sparkName } from './term.ts';
import type { Translator } from './translator.ts';

const setOperations: Readonly<Record<string, string>> = {
  union: 'union',
  except: 'except',
  intersect: 'intersect',
};

/** A query without parentheses around it. */
export function queryText(node: Node, to: Translator): string {
  const { kind, fields } = constructOf(node);
  if (kind === 'select') return selectText(fields, to);
  if (kind === 'values') return valuesText(fields, to);
  if (kind === 'subquery') {
    to.onlyKnows(fields, ['this'], 'a query');
    return `(${to.query(nodeAt(fields, 'this')!)})`;
  }
  const operation = setOperations[kind];
  if (operation !== undefined) return setText(operation, fields, to);
  to.refuse(node, {
    found: kind.replaceAll('_', ' '),
    because: 'a model is one select',
    portable: 'a select',
  });
  return '';
}

function setText(operation: string, fields: Node, to: Translator): string {
  to.onlyKnows(fields, ['left', 'right', 'all', 'order_by', 'limit', 'with'], operation);
  const common = withText(fields, to);
  const left = to.query(nodeAt(fields, 'left')!);
  const right = to.query(nodeAt(fields, 'right')!);
  const all = fields['all'] === true ? ' all' : '';
  return `${common}(${left}) ${operation}${all} (${right})${orderText(fields, to)}`;
}

const selectFields = [
  'expressions',
  'from',
  'joins',
  'where_clause',
  'group_by',
  'having',
  'order_by',
  'limit',
  'distinct',
  'with',
];

function selectText(fields: Node, to: Translator): string {
  to.onlyKnows(fields, selectFields, 'a select');
  const common = withText(fields, to);
  const distinct = fields['distinct'] === true ? 'distinct ' : '';
  const list = nodes(fields['expressions']).map((each) => selected(each, fields, to));
  const from = fromText(fields, to);
  const where = clause('where', nodeAt(fields, 'where_clause'), to);
  const group = groupText(nodeAt(fields, 'group_by'), to);
  const having = clause('having', nodeAt(fields, 'having'), to);
  return `${common}select ${distinct}${list.join(', ')}${from}${where}${group}${having}${orderText(fields, to)}`;
}

function clause(word: string, fields: Node | null, to: Translator): string {
  return fields === null ? '' : ` ${word} ${to.expression(nodeAt(fields, 'this')!).sql}`;
}

function withText(fields: Node, to: Translator): string {
  const common = nodeAt(fields, 'with');
  if (common === null) return '';
  to.onlyKnows(common, ['ctes'], 'with');
  const parts = nodes(common['ctes']).map((each) => {
    to.onlyKnows(each, ['alias', 'this', 'columns'], 'with');
    return `${nameText(each['alias'])}${columnNames(each['columns'])} as (${to.query(nodeAt(each, 'this')!)})`;
  });
  return `with ${parts.join(', ')} `;
}

function nameText(name: unknown): string {
  return isNode(name) ? sparkName(textAt(name, 'name')) : '';
}

function columnNames(names: unknown): string {
  const list = nodes(names);
  return list.length === 0 ? '' : `(${list.map(nameText).join(', ')})`;
}

function selected(node: Node, select: Node, to: Translator): string {
  const { kind, fields } = constructOf(node);
  if (kind === 'star') return starText(fields, select, to);
  if (kind !== 'alias') return to.expression(node).sql;
  to.onlyKnows(fields, ['this', 'alias'], 'a name');
  return `${to.expression(nodeAt(fields, 'this')!).sql} as ${nameText(fields['alias'])}`;
}

function starText(fields: Node, select: Node, to: Translator): string {
  to.onlyKnows(fields, ['table'], '*');
  const table = nameText(fields['table']);
  const merged = nodes(select['joins']).some((join) => nodes(join['using']).length > 0);
  if (table === '' && merged)
    to.refuse(select['joins'], {
      found: '* over a join with using',
      because: 'the columns come in another order',
      portable: 'the columns by name',
    });
  return table === '' ? '*' : `${table}.*`;
}

function fromText(fields: Node, to: Translator): string {
  const from = nodeAt(fields, 'from');
  if (from === null) return '';
  const sources = nodes(from['expressions']).map((each) => relationText(each, to));
  const joins = nodes(fields['joins']).map((each) => joinText(each, to));
  return ` from ${sources.join(' cross join ')}${joins.join('')}`;
}

function relationText(node: Node, to: Translator): string {
  const { kind, fields } = constructOf(node);
  if (kind === 'table') {
    to.onlyKnows(fields, ['name', 'alias', 'column_aliases'], 'a table');
    const alias = nameText(fields['alias']);
    return `${nameText(fields['name'])}${alias === '' ? '' : ` ${alias}`}${columnNames(fields['column_aliases'])}`;
  }
  if (kind === 'subquery') {
    to.onlyKnows(fields, ['this', 'alias', 'column_aliases'], 'a subquery');
    const alias = nameText(fields['alias']);
    const query = to.query(nodeAt(fields, 'this')!);
    return `(${query})${alias === '' ? '' : ` ${alias}`}${columnNames(fields['column_aliases'])}`;
  }
  const called = kind === 'function' ? textAt(fields, 'name') : kind.replaceAll('_', ' ');
  to.refuse(
    node,
    {
      found: `${called} in from`,
      because: 'a model reads plain names and subqueries',
      portable:
        kind === 'joined_table'
          ? 'the joins without parentheses'
          : 'a constant relation, or (values ...) t(...)',
    },
    kind === 'function' ? to.nextCall(called) : null,
  );
  return '';
}

const joinKinds: Readonly<Record<string, string>> = {
  Inner: 'inner join',
  Left: 'left join',
  Right: 'right join',
  Full: 'full join',
  Cross: 'cross join',
  Semi: 'left semi join',
  LeftSemi: 'left semi join',
  Anti: 'left anti join',
  LeftAnti: 'left anti join',
};

function joinText(join: Node, to: Translator): string {
  to.onlyKnows(join, ['this', 'on', 'using', 'kind'], 'a join');
  const kind = textAt(join, 'kind');
  const word = joinKinds[kind];
  if (word === undefined)
    to.refuse(join, {
      found: `${kind.toLowerCase()} join`,
      because: 'Spark has none',
      portable: 'a join with on',
    });
  const relation = relationText(nodeAt(join, 'this')!, to);
  const on = nodeAt(join, 'on');
  const using = nodes(join['using']);
  const how =
    on !== null ? ` on ${to.expression(on).sql}` : using.length > 0 ? ` using ${columnNames(using)}` : '';
  return ` ${word} ${relation}${how}`;
}

function valuesText(fields: Node, to: Translator): string {
  to.onlyKnows(fields, ['expressions'], 'values');
  const rows = nodes(fields['expressions']).map((row) =>
    nodes(row['expressions'])
      .map((each) => to.expression(each).sql)
      .join(', '),
  );
  return `values ${rows.map((row) => `(${row})`).join(', ')}`;
}

function groupText(group: Node | null, to: Translator): string {
  if (group === null) return '';
  if (group['all'] === true) {
    to.refuse(group, {
      found: 'group by all',
      because: 'it is left to the engine',
      portable: 'the expressions by name',
    });
    return '';
  }
  to.onlyKnows(group, ['expressions'], 'group by');
  return ` group by ${nodes(group['expressions'])
    .map((each) => to.expression(each).sql)
    .join(', ')}`;
}

/** DuckDB puts nulls last whatever the direction, Spark first where it is ascending: the place is always said. */
export function orderItems(list: unknown, to: Translator): string {
  return nodes(list)
    .map((each) => {
      to.onlyKnows(each, ['this', 'desc', 'nulls_first'], 'order by');
      const expression = nodeAt(each, 'this')!;
      const direction = each['desc'] === true ? 'desc' : 'asc';
      const nulls = each['nulls_first'] === true ? 'first' : 'last';
      return `${to.expression(expression).sql} ${direction} nulls ${nulls}`;
    })
    .join(', ');
}

function orderText(fields: Node, to: Translator): string {
  const order = nodeAt(fields, 'order_by');
  const limit = fields['limit'];
  if (order !== null && strangers(order, ['expressions']).length > 0)
    to.refuse(order, {
      found: 'order by all',
      because: 'it is left to the engine',
      portable: 'the columns by name',
    });
  const text = order === null ? '' : ` order by ${orderItems(order['expressions'], to)}`;
  return isNode(limit) ? `${text}${limitText(limit, order, to)}` : text;
}

function limitText(limit: Node, order: Node | null, to: Translator): string {
  const { kind, fields } = constructOf('this' in limit ? (limit['this'] as Node) : limit);
  const count = textAt(fields, 'value');
  if (order === null || kind !== 'literal' || !/^[0-9]+$/.test(count) || limit['percent'] === true) {
    to.refuse(limit, {
      found: 'limit',
      because: 'without an order, or by a share, it takes other rows each time',
      portable: 'order by ... limit <number>',
    });
    return '';
  }
  return ` limit ${count}`;
}
