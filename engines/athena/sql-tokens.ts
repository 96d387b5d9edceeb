/** A word is an identifier or keyword as written; a quoted identifier is without its quotes. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'mark';
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

const patterns: readonly (readonly [Token['kind'] | null, RegExp])[] = [
  [null, /\s+|--[^\n]*|\/\*[\s\S]*?\*\//y],
  ['string', /'(?:[^']|'')*'/y],
  ['quoted', /"(?:[^"]|"")*"|`(?:[^`]|``)*`/y],
  ['word', /[\p{L}_$@][\p{L}\p{N}_$@]*/uy],
  // A number, with its letters, says nothing of tables.
  ['string', /\d[\w.]*/y],
  ['mark', /[\s\S]/uy],
];

/** Tokens of Athena's SQL, comments left out. */
export function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length;) {
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const found = pattern.exec(sql)?.[0];
      if (found === undefined) continue;
      const end = at + found.length;
      const quote = found[0]!;
      const text = kind === 'quoted' ? found.slice(1, -1).replaceAll(quote + quote, quote) : found;
      if (kind !== null) tokens.push({ kind, text, at, end });
      at = end;
      break;
    }
  }
  return tokens;
}
