export const dayMicros = 86_400_000_000n;

const pattern =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?$/;

/** Microseconds since 1970 of an ISO 8601 instant in the forms the rules allow, or null. */
export function instantOf(text: string): bigint | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [year, month, day, hours, minutes, seconds] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysIn(year, month) ||
    hours > 23 ||
    minutes > 59 ||
    seconds > 59
  )
    return null;
  const offset = offsetMinutes(match[8], match[9], match[10]);
  if (offset === null) return null;
  const days = BigInt(daysBefore(year, month) + day - 1);
  const inDay = BigInt((hours * 60 + minutes - offset) * 60 + seconds);
  return days * dayMicros + inDay * 1_000_000n + BigInt((match[7] ?? '').padEnd(6, '0').slice(0, 6));
}

function offsetMinutes(
  sign: string | undefined,
  hours: string | undefined,
  minutes: string | undefined,
): number | null {
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysIn(year: number, month: number): number {
  return month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 to the first of a month. */
function daysBefore(year: number, month: number): number {
  const before = year - 1;
  const ofYears = 365 * (year - 1970) + leapDays(before) - leapDays(1969);
  let ofMonths = 0;
  for (let earlier = 1; earlier < month; earlier++) ofMonths += daysIn(year, earlier);
  return ofYears + ofMonths;
}

/** Leap days in the years 1 to `year`; year 0 is a leap year too. */
function leapDays(year: number): number {
  return Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
}

/** Start of a UTC date. */
export function startOf(date: string): bigint {
  const at = instantOf(`${date}T00:00:00Z`);
  if (at === null) throw new Error(`Expected a date, found ${date}.`);
  return at;
}

/** Whole days from one UTC date to another. */
export function daysApart(a: string, b: string): number {
  return Number((startOf(b) - startOf(a)) / dayMicros);
}

/** `YYYY-MM-DD hh:mm:ss.ffffff`. */
export function instantText(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const whole = new Date(Number((micros - fraction) / 1000n)).toISOString();
  return `${whole.slice(0, 10)} ${whole.slice(11, 19)}.${fraction.toString().padStart(6, '0')}`;
}

export function dateOf(micros: bigint): string {
  return instantText(micros).slice(0, 10);
}
