import type { Json } from '../dag/json.ts';
import { TerminalError } from '../ports/errors.ts';

/** Longest output of one attempt, as JSON text: a list of 20,000 elements of 75 bytes to map over. Temporal refuses two megabytes. */
export const maxOutputBytes = 1536 * 1024;
const maxDepth = 100;

function named(value: unknown): string {
  if (typeof value === 'bigint') return `a BigInt (${value}n); return it as text`;
  if (typeof value === 'number') return `${value}; use null or text`;
  if (value === undefined) return 'undefined; use null';
  if (typeof value === 'object' && value !== null)
    return `an instance of ${value.constructor.name}; return a plain object or array`;
  return `a ${typeof value}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A Date, a URL: JSON text of its own, as the types of a task's output have it. */
function hasOwnText(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** First place in `value` that JSON cannot hold, with what is there; null when there is none. */
function notJson(value: unknown, path: string, above: readonly object[]): string | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number' && Number.isFinite(value)) return null;
  if (typeof value !== 'object') return `${path} is ${named(value)}`;
  if (hasOwnText(value)) return null;
  if (above.includes(value)) return `${path} refers back to an object that holds it`;
  if (above.length >= maxDepth) return `${path} is nested deeper than ${maxDepth} levels`;
  const isList = Array.isArray(value);
  if (!isList && !isPlain(value)) return `${path} is ${named(value)}`;
  const within = [...above, value];
  const entries: Iterable<readonly [string | number, unknown]> = isList
    ? value.entries()
    : Object.entries(value);
  for (const [key, item] of entries) {
    // As in JSON text, and as the types of a task's output have it, a property that is undefined is absent.
    if (item === undefined && !isList) continue;
    const found = notJson(item, isList ? `${path}[${key}]` : `${path}.${key}`, within);
    if (found !== null) return found;
  }
  return null;
}

/** What a body returned, once it is certain that it survives the way through the run's history. A body that returns nothing has the output null. */
export function checkedOutput(value: unknown, place: string): Json {
  if (value === undefined) return null;
  const problem = notJson(value, 'output', []);
  if (problem !== null)
    throw new TerminalError({
      place,
      expected: 'an output of plain JSON',
      found: problem,
      remedy:
        'Outputs are kept in the history of the run: return only null, booleans, finite numbers, strings, arrays and plain objects.',
    });
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxOutputBytes)
    throw new TerminalError({
      place,
      expected: `an output of at most ${maxOutputBytes / 1024} KiB`,
      found: `${Math.ceil(bytes / 1024)} KiB`,
      remedy:
        'Write the data to the object store under attemptPrefix() and return its key, or stage a partition and return a reference to it.',
    });
  return JSON.parse(text) as Json;
}
