function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** The names a mistyped one most likely meant, best first; all of the same pipeline or table count as near. */
export function nearestNames(name: string, known: readonly string[], count = 3): string[] {
  const wanted = name.toLowerCase();
  const part = wanted.split('.').at(-1)!;
  const scored = known.map((one) => ({
    one,
    score: Math.min(
      distance(wanted, one.toLowerCase()),
      distance(part, one.toLowerCase().split('.').at(-1)!) + 0.5,
    ),
  }));
  return scored
    .filter(({ score }) => score <= Math.max(3, part.length / 2))
    .sort((a, b) => a.score - b.score || (a.one < b.one ? -1 : 1))
    .slice(0, count)
    .map(({ one }) => one);
}
