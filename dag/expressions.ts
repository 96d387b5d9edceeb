import type { Json } from './json.ts';
import { problem, shown } from './problems.ts';
import type { Problem } from './problems.ts';
import type { Referent } from './wiring.ts';
import { referentOf } from './wiring.ts';

/** What an expression may refer to, and where problems with it are told. */
export interface ExpressionScope {
  readonly place: string;
  /** The DAG declaration references must belong to. */
  readonly scope: object;
  /** The mapped task whose element may be used here. */
  readonly itemOf: string | null;
  readonly params: ReadonlySet<string>;
  readonly problems: Problem[];
}

export interface Expression {
  readonly value: Json;
  /** Tasks whose output it contains. */
  readonly taskIds: ReadonlySet<string>;
}

const fields: Partial<Record<Referent['source'], readonly string[]>> = {
  interval: ['start', 'end', 'logicalDate'],
  run: ['id', 'type'],
};

/** Turns a wired input into data: every reference becomes `{ "$ref": source, "path": [...] }`. */
export function expressionOf(wired: unknown, scope: ExpressionScope): Expression {
  const taskIds = new Set<string>();
  const value = convert(wired, '', { ...scope, taskIds, above: new Set() });
  return { value: value ?? null, taskIds };
}

type Conversion = ExpressionScope & { readonly taskIds: Set<string>; readonly above: Set<object> };

function convert(wired: unknown, at: string, to: Conversion): Json | undefined {
  const referent = referentOf(wired);
  if (referent !== undefined) return reference(referent, at, to);
  if (wired === undefined || wired === null || typeof wired === 'string' || typeof wired === 'boolean')
    return wired;
  if (typeof wired === 'number' && Number.isFinite(wired)) return wired;
  if (typeof wired !== 'object') return refuse(wired, at, to);
  if (to.above.has(wired)) return refuse(wired, at, to, 'an object that contains itself');
  to.above.add(wired);
  const converted = Array.isArray(wired)
    ? wired.map((item, index) => convert(item, `${at}[${index}]`, to) ?? null)
    : object(wired, at, to);
  to.above.delete(wired);
  return converted;
}

function object(wired: object, at: string, to: Conversion): Json | undefined {
  const prototype: unknown = Object.getPrototypeOf(wired);
  if (prototype !== null && prototype !== Object.prototype)
    return refuse(
      wired,
      at,
      to,
      `a ${(wired.constructor as { name?: string } | undefined)?.name ?? 'class instance'}`,
    );
  if (Object.hasOwn(wired, '$ref'))
    return refuse(wired, at, to, 'an object with the key $ref, which references use');
  const entries = Object.entries(wired)
    .map(([key, item]) => [key, convert(item, at === '' ? key : `${at}.${key}`, to)] as const)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

function reference(referent: Referent, at: string, to: Conversion): Json {
  const { source, path, taskId } = referent;
  const told = (found: string, expected: string, remedy: string): null => {
    to.problems.push(problem(inside(at, to.place), expected, found, remedy));
    return null;
  };
  if (referent.scope !== to.scope)
    return told(
      `a reference that belongs to another DAG`,
      'references to this DAG',
      'Wire tasks of one DAG only with each other.',
    );
  if (source === 'item' && taskId !== to.itemOf)
    return told(
      `the element of the mapped task ${taskId}`,
      'values of this task only',
      'Use an element only in the wiring of its own map; to map over what its instances return, use flatMap(...).',
    );
  const known = source === 'params' ? [...to.params] : fields[source];
  if (known !== undefined && path.length > 0 && !known.includes(String(path[0])))
    return told(
      `${source}.${path[0]}`,
      `one of ${known.join(', ') || '(none declared)'}`,
      `Declare it or correct the name.`,
    );
  if (source === 'task') to.taskIds.add(taskId!);
  return { $ref: source === 'task' ? `task:${taskId}` : source, path: [...path] };
}

function refuse(value: unknown, at: string, to: Conversion, found = shown(value)): undefined {
  to.problems.push(
    problem(
      inside(at, to.place),
      'JSON values and references',
      found,
      'Pass text, numbers, booleans, lists and plain objects.',
    ),
  );
  return undefined;
}

function inside(at: string, place: string): string {
  return at === '' ? `${place}, input` : `${place}, input ${at}`;
}
