import { tokenize } from '@polyglot-sql/sdk';

interface Token {
  readonly text: string;
  readonly type: string;
  readonly start: number;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** The text of a select and where things stand in it. The parser tells the place of names only; calls are found by counting. */
export interface Source {
  readonly text: string;
  placeOf(offset: number | null): Place;
  /** Offset of the next call of a function, each time the one after. */
  nextCall(name: string): number | null;
  /** Offset of the first token of such a text. */
  find(text: string): number | null;
  /** Offsets of `//`, which the parser does not know. */
  readonly wholeDivisions: readonly number[];
}

export function sourceOf(text: string): Source {
  const characters = Array.from(text);
  const tokens = tokensOf(text);
  const calls = new Map<string, number[]>();
  tokens.forEach((token, index) => {
    if (tokens[index + 1]?.text !== '(') return;
    const name = token.text.toLowerCase();
    calls.set(name, [...(calls.get(name) ?? []), token.start]);
  });
  const divisions = tokens.filter(
    (token, index) =>
      token.type === 'SLASH' &&
      tokens[index + 1]?.type === 'SLASH' &&
      tokens[index + 1]?.start === token.start + 1,
  );
  return {
    text,
    placeOf: (offset) => {
      const lines = characters
        .slice(0, offset ?? 0)
        .join('')
        .split('\n');
      return { line: lines.length, column: Array.from(lines.at(-1) ?? '').length + 1 };
    },
    nextCall: (name) => calls.get(name.toLowerCase())?.shift() ?? null,
    find: (wanted) =>
      tokens.find((token) => token.text.toLowerCase() === wanted.toLowerCase())?.start ?? null,
    wholeDivisions: divisions.map((token) => token.start),
  };
}

function tokensOf(text: string): readonly Token[] {
  const result = tokenize(text, 'duckdb' as Parameters<typeof tokenize>[1]);
  const tokens = (result.tokens ?? []) as unknown as readonly {
    readonly text: string;
    readonly token_type: string;
    readonly span: { readonly start: number };
  }[];
  return tokens.map(({ text: each, token_type, span }) => ({
    text: each,
    type: token_type,
    start: span.start,
  }));
}
