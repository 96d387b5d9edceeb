import { isDate } from '../dag/params.ts';
import { UsageError } from './cli.ts';

export function wholeNumber(name: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    throw new UsageError(`expected ${name} to be a whole number; found ${text}.`);
  return value;
}

export function dateOf(name: string, text: unknown): string {
  if (isDate(text)) return text;
  throw new UsageError(`expected ${name} as YYYY-MM-DD; found ${String(text)}.`);
}

/** `days` dates from `first` on. */
export function dateRange(first: string, days: string): string[] {
  const start = Date.parse(`${dateOf('--date', first)}T00:00:00Z`);
  return Array.from({ length: wholeNumber('--days', days) }, (_, index) =>
    new Date(start + index * 86_400_000).toISOString().slice(0, 10),
  );
}

/** `name=value`, as often as given. */
export function namedValues(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`expected --param name=value; found ${text}.`);
      return [text.slice(0, at), text.slice(at + 1)] as const;
    }),
  );
}
