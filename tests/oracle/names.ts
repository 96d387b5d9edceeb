import { trimmed } from './csv-records.ts';

/** NFC, trimmed, inner white space collapsed; an all-upper or all-lower name gets title case. */
export function nameOf(text: string): string {
  const tidy = trimmed(text.normalize('NFC')).replaceAll(/\s+/gu, ' ');
  const hasUpper = /[\p{Lu}\p{Lt}]/u.test(tidy);
  const hasLower = /\p{Ll}/u.test(tidy);
  if (hasUpper === hasLower) return tidy;
  return tidy
    .split(' ')
    .map((word) =>
      Array.from(word, (letter, index) => (index === 0 ? upper(letter) : lower(letter))).join(''),
    )
    .join(' ');
}

/** Case of one code point, where its other case is one code point too. */
function upper(letter: string): string {
  const changed = letter.toUpperCase();
  return Array.from(changed).length === 1 ? changed : letter;
}

function lower(letter: string): string {
  const changed = letter.toLowerCase();
  return Array.from(changed).length === 1 ? changed : letter;
}

/** `something@something.something` without spaces, in lower case, else null. */
export function emailOf(text: string): string | null {
  const tidy = trimmed(text).toLowerCase();
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/u.test(tidy) ? tidy : null;
}
