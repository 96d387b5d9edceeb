import { TerminalError } from './errors.ts';

export function refuseKey(key: string, found: string): never {
  throw new TerminalError({
    expected: 'an object key such as raw/orders/2026-01-01.csv',
    found,
    remedy: 'Use a relative path with / between names, without empty, . or .. parts.',
    place: JSON.stringify(key),
  });
}

function checkParts(key: string, parts: readonly string[]): void {
  if (key.includes('\0') || !key.isWellFormed()) refuseKey(key, 'characters no file name can hold');
  if (key.startsWith('/')) refuseKey(key, 'an absolute path');
  if (parts.some((part) => part === '.' || part === '..')) refuseKey(key, 'a . or .. part');
}

/** Refuses what is not a plain relative path; returns the key. */
export function checkedKey(key: string): string {
  const parts = key.split('/');
  checkParts(key, parts);
  if (parts.includes('')) refuseKey(key, 'an empty part');
  return key;
}

/** A prefix may end anywhere, also inside a name. */
export function checkedPrefix(prefix: string): string {
  const parts = prefix.split('/');
  checkParts(prefix, parts);
  if (parts.slice(0, -1).includes('')) refuseKey(prefix, 'an empty part');
  return prefix;
}
