const dayMs = 86_400_000;
const twoDigits = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));
const dateTexts = new Map<number, string>();

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export function dayOf(date: string): number {
  const at = Date.parse(`${date}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(at) || dateText(at / dayMs) !== date)
    throw new RangeError(
      `Expected a date like 2026-01-31, found ${JSON.stringify(date)}. Give every date as YYYY-MM-DD.`,
    );
  return at / dayMs;
}

export function dateText(day: number): string {
  let text = dateTexts.get(day);
  if (text === undefined) {
    text = new Date(day * dayMs).toISOString().slice(0, 10);
    dateTexts.set(day, text);
  }
  return text;
}

/** Ways to write one instant; the first two carry whole seconds, the others a fraction. */
export const stampForms = 10;
export const wholeSecondForms = 7;

/** The instant in one of the ISO 8601 forms that sources use. `micros` is only shown by the forms with a fraction. */
export function stamp(seconds: number, micros: number, form: number): string {
  switch (form) {
    case 0:
      return `${clock(seconds, 'T')}Z`;
    case 1:
      return clock(seconds, ' ');
    case 2:
      return clock(seconds, 'T');
    case 3:
      return `${clock(seconds, ' ')}Z`;
    case 4:
      return `${clock(seconds + 7_200, 'T')}+02:00`;
    case 5:
      return `${clock(seconds - 12_600, 'T')}-0330`;
    case 6:
      return `${clock(seconds + 34_200, ' ')}+09:30`;
    case 7:
      return `${clock(seconds, 'T')}.${String(micros).padStart(6, '0')}Z`;
    case 8:
      return `${clock(seconds, ' ')}.${String(micros).padStart(6, '0').slice(0, 3)}`;
    default:
      return `${clock(seconds - 28_800, 'T')}.${String(micros).padStart(6, '0')}789-08:00`;
  }
}

function clock(seconds: number, separator: string): string {
  const day = Math.floor(seconds / 86_400);
  const inDay = seconds - day * 86_400;
  const hours = (inDay / 3_600) | 0;
  const minutes = ((inDay - hours * 3_600) / 60) | 0;
  return `${dateText(day)}${separator}${twoDigits[hours]}:${twoDigits[minutes]}:${twoDigits[inDay % 60]}`;
}
