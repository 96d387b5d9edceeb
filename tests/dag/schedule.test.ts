import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCron } from '../../dag/cron.ts';
import { nextTick, previousTick } from '../../dag/schedule.ts';

const minuteMs = 60_000;

function ticks(cron: string, timezone: string, from: string, count: number): string[] {
  const found: string[] = [];
  let at = Date.parse(from) - 1;
  for (let n = 0; n < count; n += 1) {
    at = nextTick({ cron }, timezone, at);
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

describe('cron', () => {
  test.each([
    [
      '*/20 8-9 * * *',
      '2026-01-01T00:00Z',
      ['2026-01-01T08:00', '2026-01-01T08:20', '2026-01-01T08:40', '2026-01-01T09:00'],
    ],
    [
      '5/25 0 * * *',
      '2026-01-01T00:00Z',
      ['2026-01-01T00:05', '2026-01-01T00:30', '2026-01-01T00:55', '2026-01-02T00:05'],
    ],
    ['0 0 * feb,APR *', '2026-02-27T12:00Z', ['2026-02-28T00:00', '2026-04-01T00:00']],
    [
      '0 12 * * mon-wed,5',
      '2026-01-02T00:00Z',
      ['2026-01-02T12:00', '2026-01-05T12:00', '2026-01-06T12:00', '2026-01-07T12:00', '2026-01-09T12:00'],
    ],
    ['0 0 * * 7', '2026-01-01T00:00Z', ['2026-01-04T00:00', '2026-01-11T00:00']],
    [
      '0 0 13 * fri',
      '2026-02-10T00:00Z',
      ['2026-02-13T00:00', '2026-02-20T00:00', '2026-02-27T00:00', '2026-03-06T00:00', '2026-03-13T00:00'],
    ],
    ['0 0 */10 * mon', '2026-06-01T00:00Z', ['2026-06-01T00:00', '2026-08-31T00:00']],
    ['0 0 29 2 *', '2096-03-01T00:00Z', ['2104-02-29T00:00']],
    ['0 0 31 * *', '2026-01-31T01:00Z', ['2026-03-31T00:00', '2026-05-31T00:00']],
    ['@monthly', '2026-01-15T00:00Z', ['2026-02-01T00:00', '2026-03-01T00:00']],
    ['@weekly', '2026-01-01T00:00Z', ['2026-01-04T00:00']],
    ['@yearly', '2026-01-01T00:00Z', ['2026-01-01T00:00', '2027-01-01T00:00']],
    ['  0   6 * * * ', '2026-01-01T00:00Z', ['2026-01-01T06:00']],
  ])('%s ticks when cron would', (cron, from, expected) => {
    expect(ticks(cron, 'UTC', from, expected.length)).toEqual(expected);
  });

  test.each([
    ['', /five cron fields/],
    ['* * * *', /five cron fields/],
    ['0 0 * * * *', /five cron fields/],
    ['@fortnightly', /five cron fields/],
    ['60 * * * *', /minute.*"60"/],
    ['* 24 * * *', /hour.*"24"/],
    ['* * 0 * *', /day of month.*"0"/],
    ['* * * 13 *', /month.*"13"/],
    ['* * * * 8', /day of week.*"8"/],
    ['*/0 * * * *', /minute.*"\*\/0"/],
    ['10-5 * * * *', /minute.*"10-5"/],
    ['1-2-3 * * * *', /minute/],
    ['1,,2 * * * *', /minute.*""/],
    ['* * L * *', /day of month.*"l"/],
    ['* * * * mon#1', /day of week/],
    ['-1 * * * *', /minute/],
    ['1.5 * * * *', /minute/],
    ['0 0 31 feb,apr *', /which never does/],
  ])('%s is refused', (cron, message) => {
    const problems = parseCron(cron);
    expect('minutes' in problems).toBe(false);
    expect((problems as readonly { message: string }[]).map((each) => each.message).join()).toMatch(message);
  });

  test('every bad field is told', () => {
    expect(parseCron('60 24 0 13 8')).toHaveLength(5);
  });
});

describe('daylight saving', () => {
  test('a time of day that is skipped ticks as long after as it lies in the gap, one that is repeated only once', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00Z', 3)).toEqual([
      '2026-03-28T01:30',
      '2026-03-29T01:30',
      '2026-03-30T00:30',
    ]);
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T00:00Z', 3)).toEqual([
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  test('an hourly schedule follows real time', () => {
    expect(ticks('0 * * * *', 'Europe/Berlin', '2026-03-28T23:00Z', 5)).toEqual([
      '2026-03-28T23:00',
      '2026-03-29T00:00',
      '2026-03-29T01:00',
      '2026-03-29T02:00',
      '2026-03-29T03:00',
    ]);
    expect(ticks('30 * * * *', 'Australia/Lord_Howe', '2026-04-04T13:00Z', 4)).toEqual([
      '2026-04-04T13:30',
      '2026-04-04T14:30',
      '2026-04-04T15:00',
      '2026-04-04T16:00',
    ]);
  });

  test('a day without midnight begins when it begins, and a day that does not exist has no tick of its own', () => {
    expect(ticks('@daily', 'America/Sao_Paulo', '2018-11-03T00:00Z', 3)).toEqual([
      '2018-11-03T03:00',
      '2018-11-04T03:00',
      '2018-11-05T02:00',
    ]);
    expect(ticks('@daily', 'Pacific/Apia', '2011-12-29T00:00Z', 3)).toEqual([
      '2011-12-29T10:00',
      '2011-12-30T10:00',
      '2011-12-31T10:00',
    ]);
  });
});

test('a fixed length counts from 1970, before it too', () => {
  const every = { everyMs: 7 * minuteMs };
  expect(nextTick(every, 'UTC', 0)).toBe(7 * minuteMs);
  expect(nextTick(every, 'UTC', -1)).toBe(0);
  expect(previousTick(every, 'UTC', 7 * minuteMs)).toBe(7 * minuteMs);
  expect(previousTick(every, 'UTC', -1)).toBe(-7 * minuteMs);
});

/** Zones with their transitions: ordinary, half an hour, two hours, at midnight, a skipped day, none. */
const windows = [
  ['Europe/Berlin', '2026-03-28T00:00Z'],
  ['Europe/Berlin', '2026-10-24T00:00Z'],
  ['America/New_York', '2026-03-07T00:00Z'],
  ['America/New_York', '2026-10-31T00:00Z'],
  ['Australia/Lord_Howe', '2026-04-03T00:00Z'],
  ['Australia/Lord_Howe', '2026-10-02T00:00Z'],
  ['Antarctica/Troll', '2026-03-28T00:00Z'],
  ['Antarctica/Troll', '2026-10-24T00:00Z'],
  ['America/Sao_Paulo', '2018-11-03T00:00Z'],
  ['America/Sao_Paulo', '2018-02-16T12:00Z'],
  ['America/Havana', '2026-10-31T00:00Z'],
  ['Africa/Casablanca', '2026-02-14T00:00Z'],
  ['Pacific/Apia', '2011-12-29T00:00Z'],
  ['Asia/Kathmandu', '2026-03-28T00:00Z'],
] as const;
const days = 4;

interface Minute {
  readonly at: number;
  readonly wall: number;
}
const scanned = new Map<string, readonly Minute[]>();

/** Every minute of a window with the wall clock it shows, by asking the runtime for each. */
function scan(timezone: string, from: string): readonly Minute[] {
  const known = scanned.get(timezone + from);
  if (known !== undefined) return known;
  // Swedish dates read like ISO 8601.
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const start = Date.parse(from);
  const minutes = Array.from({ length: days * 1440 }, (_, n) => {
    const at = start + n * minuteMs;
    return { at, wall: Date.parse(`${format.format(at).replace(' ', 'T')}Z`) };
  });
  scanned.set(timezone + from, minutes);
  return minutes;
}

type Matcher = (wall: number) => boolean;

function matcher(cron: string): Matcher {
  const fields = cron.split(' ').map((field) =>
    field.split(',').map((item) => {
      const [span, step = '1'] = item.split('/') as [string, string?];
      const [low, high = low] = span === '*' ? ['0', '60'] : (span.split('-') as [string, string?]);
      return { low: Number(low), high: Number(high), step: Number(step) };
    }),
  );
  return (wall) => {
    const date = new Date(wall);
    const values = [
      date.getUTCMinutes(),
      date.getUTCHours(),
      date.getUTCDate(),
      date.getUTCMonth() + 1,
      date.getUTCDay(),
    ];
    return fields.every((items, index) =>
      items.some(
        ({ low, high, step }) =>
          values[index]! >= low && values[index]! <= high && (values[index]! - low) % step === 0,
      ),
    );
  };
}

/** The ticks of a window, by looking at every minute. */
function naiveTicks(cron: string, minutes: readonly Minute[]): readonly number[] {
  const matches = matcher(cron);
  if (cron.split(' ')[1] === '*') return minutes.filter(({ wall }) => matches(wall)).map(({ at }) => at);
  const found = new Set<number>();
  const first = new Map<number, number>();
  minutes.forEach(({ at, wall }, index) => {
    const before = minutes[index - 1];
    // Times the clock jumped over happen as long after the jump as they lie in it.
    if (before !== undefined)
      for (let skipped = before.wall + minuteMs; skipped < wall; skipped += minuteMs)
        if (matches(skipped)) found.add(before.at + (skipped - before.wall));
    if (!first.has(wall)) first.set(wall, at);
  });
  for (const [wall, at] of first) if (matches(wall)) found.add(at);
  return [...found].sort((a, b) => a - b);
}

const crons = fc
  .tuple(
    fc.constantFrom('0', '30', '59', '*/15', '5,45', '*', '0-10/5'),
    fc.constantFrom('*', '*', '0', '2', '1-3', '*/6', '0,12', '23', '*/2', '1'),
    fc.constantFrom('*', '*', '1-5', '0'),
  )
  .map(([minute, hour, weekday]) => `${minute} ${hour} * * ${weekday}`);

test('next and previous ticks are those found by looking at every minute, across every kind of transition', () => {
  fc.assert(
    fc.property(
      crons,
      fc.constantFrom(...windows),
      fc.array(fc.nat(days * 1440 * 60 - 1), { minLength: 5, maxLength: 5 }),
      (cron, [timezone, from], seconds) => {
        const minutes = scan(timezone, from);
        // The first and last day only give context: what the window cuts off cannot be known there.
        const [low, high] = [minutes[1440]!.at, minutes.at(-1440)!.at];
        const expected = naiveTicks(cron, minutes).filter((tick) => tick >= low && tick < high);
        const found: number[] = [];
        for (
          let tick = nextTick({ cron }, timezone, low - 1);
          tick < high;
          tick = nextTick({ cron }, timezone, tick)
        )
          found.push(tick);
        expect(found).toEqual(expected);
        for (const second of seconds) {
          const at = minutes[0]!.at + second * 1000;
          const last = expected.findLast((tick) => tick <= at);
          if (at < high && last !== undefined) expect(previousTick({ cron }, timezone, at)).toBe(last);
        }
      },
    ),
    { numRuns: 400 },
  );
});
