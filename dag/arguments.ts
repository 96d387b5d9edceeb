import type { Json } from './json.ts';
import type { ArgumentExpression } from './plan.ts';

/** Gives the value of a source (`task:<id>`, `interval`, `params`, `item`, `run`); undefined when there is none. */
export type SourceLookup = (source: string) => Json | undefined;

/**
 * The value of an expression: every reference replaced by what it refers to. The output of a task that did not
 * succeed, and every part of it, is null; an optional field that is absent leaves its object key out.
 */
export function resolveArguments(expression: ArgumentExpression, lookup: SourceLookup): Json {
  return resolve(expression, lookup) ?? null;
}

function resolve(expression: Json, lookup: SourceLookup): Json | undefined {
  if (expression === null || typeof expression !== 'object') return expression;
  if (Array.isArray(expression)) return expression.map((item: Json) => resolve(item, lookup) ?? null);
  const entries = expression as { readonly [key: string]: Json };
  if (typeof entries['$ref'] === 'string')
    return follow(lookup(entries['$ref']), entries['path'] as readonly (string | number)[]);
  const resolved: Record<string, Json> = {};
  for (const key of Object.keys(entries)) {
    const value = resolve(entries[key]!, lookup);
    if (value !== undefined)
      Object.defineProperty(resolved, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return resolved;
}

function follow(value: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let at: Json | undefined = value;
  for (const step of path) {
    if (at === null) return null;
    if (typeof at !== 'object' || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, Json>)[step];
  }
  return at;
}
