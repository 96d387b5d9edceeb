type Unit = 'ms' | 's' | 'm' | 'h' | 'd';

/** A length of time: milliseconds as a number, or `'500ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${Unit}`;

const unitMs: Readonly<Record<Unit, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration, or null when it is not one. Whole milliseconds, never negative. */
export function durationMs(duration: unknown): number | null {
  if (typeof duration === 'number') return Number.isSafeInteger(duration) && duration >= 0 ? duration : null;
  if (typeof duration !== 'string') return null;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  if (match === null) return null;
  const ms = Math.round(Number(match[1]) * unitMs[match[2] as Unit]);
  return Number.isSafeInteger(ms) ? ms : null;
}

/** The shortest exact text of a length of time: 90000 is `90s`, 60000 is `1m`. */
export function durationText(ms: number): string {
  const unit =
    (['d', 'h', 'm', 's'] as const).find((each) => ms >= unitMs[each] && ms % unitMs[each] === 0) ?? 'ms';
  return `${ms / unitMs[unit]}${unit}`;
}
