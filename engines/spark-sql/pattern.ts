/** Why a regular expression is not of the subset that RE2 and Java share and mean alike, with what to write; null for one that is. */
export function patternProblem(
  pattern: string,
): { readonly found: string; readonly portable: string } | null {
  let rest = pattern;
  const eat = (piece: RegExp): boolean => {
    const match = piece.exec(rest);
    if (match === null) return false;
    rest = rest.slice(match[0].length);
    return true;
  };
  while (rest !== '') {
    const known = eat(atoms);
    if (!known && !eat(characterClass)) return wrong(rest);
    if (eat(quantifier) && /^[*+?{]/.test(rest))
      return { found: rest[0]!, portable: 'one quantifier for one piece' };
  }
  return null;
}

const escapes = String.raw`\\(?:[dDwWzAntrf]|x\{[0-9A-Fa-f]{1,6}\}|[!-\/:-@\[-\^\x60{-~])`;
const atoms = new RegExp(String.raw`^(?:${escapes}|\(\?:|\((?!\?)|\)|\||\^|[^\\()\[\]{}.$*+?|^])`, 'u');
const classItem = String.raw`(?:\\(?:[dDwWntrf]|x\{[0-9A-Fa-f]{1,6}\}|[!-\/:-@\[-\^\x60{-~])|(?!&&)[^\\\[\]])`;
const characterClass = new RegExp(String.raw`^\[\^?(?!\])${classItem}+\]`, 'u');
const quantifier = /^(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??/;

const forms: readonly (readonly [RegExp, string])[] = [
  [/^\$/, String.raw`\z: Java's $ also matches before a last line break`],
  [/^\./, String.raw`[^\n], or [\x{00}-\x{10FFFF}] for any character: engines disagree on line breaks`],
  [/^\\[sS]/, String.raw`the characters, e.g. [\x{09}-\x{0D}\x{20}]: RE2 has no vertical tab in \s`],
  [/^\\[bB]/, String.raw`the characters before and after: Java's \b knows letters beyond ASCII`],
  [/^\\[pP]/, 'the ranges of characters: engines follow different versions of Unicode'],
  [/^\\Z/, String.raw`\z`],
  [/^\\[1-9]/, 'two conditions: RE2 has no references back'],
  [/^\(\?[a-z]*[-i]/, 'lower(...) of the text: letters beyond ASCII fold differently'],
  [/^\(\?[=!<]/, 'a second condition with not: RE2 looks neither ahead nor back'],
  [/^\(\?/, '(?: ... ) or ( ... )'],
  [/^\[.*\[/, String.raw`[ as \[ within a class, and no [:class:]: Java takes it for a class of its own`],
  [/^\[.*&&/, String.raw`& as \& within a class`],
  [/^[{}[\]]/, 'the character with a backslash before it'],
];

function wrong(rest: string): { readonly found: string; readonly portable: string } {
  const form = forms.find(([pattern]) => pattern.test(rest));
  return {
    found: /^(\\x?.|\(\?.?|\[[^\]]*\]?|.)/su.exec(rest)?.[0] ?? rest,
    portable: form?.[1] ?? 'a piece that RE2 and Java share',
  };
}

/** A pattern that matches at most once in a text, so that the first match is all matches. */
export function matchesOnce(pattern: string): boolean {
  const bare = pattern.replaceAll(/\\./gsu, '').replaceAll(/\[[^\]]*\]/gu, '');
  const closed = !/\|/.test(bare) || /^\^?\(\?:.*\)$/su.test(bare);
  return closed && (/^(\^|\\A)/.test(pattern) || pattern.endsWith('\\z'));
}
