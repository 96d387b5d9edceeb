const dayMs = 86_400_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(timezone, made);
  return made;
}

/** True for `UTC` and every IANA name the runtime knows. An offset such as `+02:00` is not one. */
export function isTimezone(timezone: unknown): timezone is string {
  if (typeof timezone !== 'string' || !/^[A-Za-z]/.test(timezone)) return false;
  try {
    formatter(timezone);
    return true;
  } catch {
    return false;
  }
}

/**
 * The wall clock of a zone at an instant, written as if it were UTC: `wallAt(zone, at) - at` is the zone's offset.
 * Instants are milliseconds since the epoch, from year 1 on.
 */
export function wallAt(timezone: string, at: number): number {
  if (timezone === 'UTC') return at;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatter(timezone).formatToParts(at))
    if (type !== 'literal') parts[type] = Number(value);
  const seconds = Date.UTC(
    parts['year']!,
    parts['month']! - 1,
    parts['day'],
    parts['hour'],
    parts['minute'],
    parts['second'],
  );
  return seconds + (((at % 1000) + 1000) % 1000);
}

/** Every instant at which the zone's wall clock shows `wall`: none in a gap, two in an overlap, in order. */
export function instantsOf(timezone: string, wall: number): readonly number[] {
  if (timezone === 'UTC') return [wall];
  const offsets = new Set([wall - dayMs, wall + dayMs].map((near) => wallAt(timezone, near) - near));
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((at) => wallAt(timezone, at) === wall)
    .sort((a, b) => a - b);
}

/**
 * The one instant meant by a wall-clock time: the first of two in an overlap; in a gap as long after the gap's
 * start as the time lies within it (02:30 in a gap from 02:00 to 03:00 is 03:30), as with `java.time` and Temporal.
 */
export function instantOf(timezone: string, wall: number): number {
  const [first] = instantsOf(timezone, wall);
  if (first !== undefined) return first;
  const before = wall - dayMs;
  return wall - (wallAt(timezone, before) - before);
}
