/** A node of the parsed statement: one key, its kind, with its fields. */
export type Node = Readonly<Record<string, unknown>>;

export interface Construct {
  readonly kind: string;
  readonly fields: Node;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function constructOf(node: Node): Construct {
  const [kind = 'nothing', fields] = Object.entries(node)[0] ?? [];
  return { kind, fields: isNode(fields) ? fields : {} };
}

export function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function nodeAt(fields: Node, key: string): Node | null {
  const value = fields[key];
  return isNode(value) ? value : null;
}

export function textAt(fields: Node, key: string): string {
  const value = fields[key];
  return typeof value === 'string' ? value : '';
}

/** How something was spelled, which means nothing. */
const spelling: ReadonlySet<string> = new Set([
  'span',
  'inferred_type',
  'name',
  'original_name',
  'use_bracket_syntax',
  'no_parens',
  'quoted',
  'bracket_notation',
  'alias_explicit_as',
  'alias_first',
  'double_colon_syntax',
  'kind_text',
  'start_side_text',
  'end_side_text',
  'explicit_asc',
  'nesting_group',
  'use_inner_keyword',
  'use_outer_keyword',
  'modifiers_inside',
  'use_plural',
  'sql_standard_syntax',
  'position_explicit',
  'integer_spelling',
  'from_for_syntax',
]);

function says(value: unknown): boolean {
  return !(
    value === null ||
    value === undefined ||
    value === false ||
    (Array.isArray(value) && value.length === 0)
  );
}

/** Fields that say something and are not among `known`: syntax nobody here has thought of. */
export function strangers(fields: Node, known: readonly string[]): readonly string[] {
  return Object.keys(fields).filter(
    (key) => says(fields[key]) && !known.includes(key) && !spelling.has(key) && !key.endsWith('comments'),
  );
}

/** Offset of the first name within a node. */
export function firstOffset(value: unknown): number | null {
  if (Array.isArray(value)) return smallest(value.map(firstOffset));
  if (!isNode(value)) return null;
  const span = value['span'];
  if (isNode(span) && typeof span['start'] === 'number') return span['start'];
  return smallest(Object.values(value).map(firstOffset));
}

function smallest(offsets: readonly (number | null)[]): number | null {
  const found = offsets.filter((offset) => offset !== null);
  return found.length === 0 ? null : Math.min(...found);
}

/** The nodes at some fields, without those that are left out. */
export function nodesAt(fields: Node, keys: readonly string[]): readonly Node[] {
  return keys.map((key) => nodeAt(fields, key)).filter((node) => node !== null);
}
