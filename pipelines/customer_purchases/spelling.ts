/**
 * Names and e-mail addresses are put in order here, once per distinct text, because the engines disagree: Spark has no Unicode
 * normalisation, DuckDB no title case, and they lower-case `İ` and `Σ` differently.
 */

const space = /\p{White_Space}+/gu;

function tidy(text: string): string {
  return text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '');
}

/** Case of one code point, where its other case is one code point too: `ß` has no capital of its own. */
function changed(letter: string, other: string): string {
  return Array.from(other).length === 1 ? other : letter;
}

function titled(word: string): string {
  return Array.from(word)
    .map((letter, index) => changed(letter, index === 0 ? letter.toUpperCase() : letter.toLowerCase()))
    .join('');
}

/** NFC, trimmed, inner white space collapsed; an all-upper or all-lower name gets title case, any other keeps its own. */
export function nameOf(text: string): string {
  const name = tidy(text.normalize('NFC')).replace(space, ' ');
  const upper = /[\p{Lu}\p{Lt}]/u.test(name);
  const lower = /\p{Ll}/u.test(name);
  return upper === lower ? name : name.split(' ').map(titled).join(' ');
}

/** Lower-cased; an empty text for what is not `something@something.something` without spaces. */
export function emailOf(text: string): string {
  const email = tidy(text).toLowerCase();
  return /^[^\p{White_Space}@]+@[^\p{White_Space}@]+\.[^\p{White_Space}@]+$/u.test(email) ? email : '';
}
