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
  if (alternates(pattern)) return false;
  return /^(\^|\\A)/.test(pattern) || (pattern.endsWith(String.raw`\z`) && !matchesNothing(pattern));
}

/** Whether there is an alternative outside of all groups. */
function alternates(pattern: string): boolean {
  let depth = 0;
  for (const [piece] of pattern.matchAll(/\\.|\[(?:\\.|[^\]])*\]|./gsu)) {
    if (piece === '(') depth += 1;
    if (piece === ')') depth -= 1;
    if (piece === '|' && depth === 0) return true;
  }
  return false;
}

/** Whether a pattern of the subset also matches an empty text. */
export function matchesNothing(pattern: string): boolean {
  const script = pattern
    .replaceAll(/\\x\{([0-9A-Fa-f]+)\}/g, (_, digits: string) => `\\u{${digits}}`)
    .replaceAll(String.raw`\z`, '$')
    .replaceAll(String.raw`\A`, '^')
    .replaceAll(/\\([!-/:-@[-^\x60{-~])/g, (_, sign: string) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);
  return new RegExp(script, 'u').test('');
}
