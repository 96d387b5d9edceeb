import { inspect } from 'node:util';
import type { Json } from '../dag/json.ts';

// Bounded: a scheme of any length takes quadratic time on long text without spaces.
const urlCredentials = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>@]*:[^\s"'<>]*@/gi;
const namedSecret = /\b(password|passwd|pwd|secret|token|api[-_]?key)(["']?\s*[=:]\s*["']?)[^\s"',;&)]+/gi;
const secretName = /^(password|passwd|pwd|secret|token|api[-_]?key)$/i;
const maxDepth = 8;

/** Takes secrets out of text that leaves the worker: histories, the ledger and logs are read by many. */
export function redact(text: string): string {
  return text.replace(urlCredentials, '$1***@').replace(namedSecret, '$1$2***');
}

/** The same for a value, which becomes JSON: what JSON cannot hold is written as Node would show it. */
export function redactValue(value: unknown, depth = 0): Json {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  if (value instanceof Error) return redact(`${value.name}: ${value.message}`);
  if (typeof value !== 'object' || depth >= maxDepth) return redact(inspect(value, { depth: 0 }));
  if (Array.isArray(value)) return value.map((each) => redactValue(each, depth + 1));
  return redactFields(value, depth + 1);
}

/** The fields of an object; those that are named like a secret are hidden whole. */
export function redactFields(fields: object, depth = 0): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretName.test(name) ? '***' : redactValue(value, depth),
    ]),
  );
}
