/** A text literal that DuckDB and Spark read alike. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name in SQL, also when it is a reserved word. */
export function quoted(name: string): string {
  return `"${name}"`;
}

/** Regular expressions of the subset RE2 and Java share; `\z`, because Java's `$` also matches before a last line break. */
export function wholeMatch(expression: string, pattern: string): string {
  return `regexp_matches(${expression}, ${literal(`^(?:${pattern})\\z`)})`;
}

/** One select-list item per line. */
export function selectList(items: readonly string[]): string {
  return items.map((item) => `  ${item}`).join(',\n');
}
