import { createHash } from 'node:crypto';
import { canonicalJson } from '../dag/json.ts';
import type { Json } from '../dag/json.ts';

/** SHA-256 of a text, in hex. */
export function hashOfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** SHA-256 of a value's canonical JSON. */
export function hashOf(value: Json): string {
  return hashOfText(canonicalJson(value));
}
