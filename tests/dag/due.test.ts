import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  clockBeginsAt,
  dealtWithAt,
  dueIntervals,
  lateTicksMs,
  nextInterval,
  type Calendar,
} from '../../dag/due.ts';
import type { DataInterval } from '../../dag/interval.ts';
import { nextTick, previousTick } from '../../dag/schedule.ts';

const hourMs = 3_600_000;
const daily: Calendar = {
  schedule: { cron: '0 0 * * *' },
  timezone: 'UTC',
  startAt: '2026-01-01T00:00:00Z',
  endAt: null,
  catchup: true,
};

function at(text: string): number {
  return Date.parse(`${text}Z`);
}

function dates(calendar: Calendar, tickedTo: string | null, now: string): string[] {
  return [...dueIntervals(calendar, tickedTo, at(now))].map((each) => each.start.slice(0, 10));
}

test('with catchup every interval since the start is due, once it is over', () => {
  expect(dates(daily, null, '2026-01-01T23:59')).toEqual([]);
  expect(dates(daily, null, '2026-01-04T00:00')).toEqual(['2026-01-01', '2026-01-02', '2026-01-03']);
  expect(dates(daily, '2026-01-03T00:00:00Z', '2026-01-04T00:00')).toEqual(['2026-01-03']);
});

test('without catchup the latest is due, and earlier ones whose ticks were late by a day at most', () => {
  const lazy = { ...daily, catchup: false };
  expect(dates(lazy, null, '2026-01-09T12:00')).toEqual(['2026-01-08']);
  expect(dates(lazy, '2026-01-08T00:00:00Z', '2026-01-10T00:00')).toEqual(['2026-01-08', '2026-01-09']);
  expect(dates(lazy, '2026-01-02T00:00:00Z', '2026-01-10T12:00')).toEqual(['2026-01-09']);
  const hourly = { ...lazy, schedule: { everyMs: hourMs } };
  expect([...dueIntervals(hourly, '2026-01-08T00:00:00Z', at('2026-01-08T05:30'))]).toHaveLength(5);
  expect([...dueIntervals(hourly, '2026-01-05T00:00:00Z', at('2026-01-08T05:30'))]).toHaveLength(24);
});

test('a clock that begins has the latest interval due, unless catchup makes up all since the start', () => {
  const lazy = { ...daily, catchup: false };
  const now = at('2026-01-09T12:00');
  expect(clockBeginsAt(lazy, now)).toBe('2026-01-08T00:00:00Z');
  expect(dates(lazy, clockBeginsAt(lazy, now), '2026-01-09T12:00')).toEqual(['2026-01-08']);
  expect(clockBeginsAt(daily, now)).toBeNull();
  expect(clockBeginsAt({ ...daily, startAt: null }, now)).toBe('2026-01-08T00:00:00Z');
  expect(clockBeginsAt({ ...daily, schedule: null }, now)).toBeNull();
});

test('nothing is due before the start, after the end or without a schedule', () => {
  const bounded = { ...daily, endAt: '2026-01-02T00:00:00Z' };
  expect(dates(bounded, null, '2026-02-01T00:00')).toEqual(['2026-01-01', '2026-01-02']);
  expect(dates({ ...bounded, catchup: false }, null, '2026-02-01T00:00')).toEqual([]);
  expect(dates({ ...daily, startAt: '2026-01-01T06:00:00Z' }, null, '2026-01-03T00:00')).toEqual([
    '2026-01-02',
  ]);
  expect(dates({ ...daily, schedule: null }, null, '2026-02-01T00:00')).toEqual([]);
});

test('the next interval is the one that goes on now, the first before the start, none after the end', () => {
  expect(nextInterval(daily, at('2026-03-01T12:00'))).toMatchObject({ end: '2026-03-02T00:00:00Z' });
  expect(nextInterval(daily, at('2025-06-01T12:00'))).toMatchObject({ start: '2026-01-01T00:00:00Z' });
  expect(nextInterval({ ...daily, endAt: '2026-01-02T00:00:00Z' }, at('2026-01-03T00:00'))).toBeNull();
  expect(nextInterval({ ...daily, schedule: null }, at('2026-01-03T00:00'))).toBeNull();
});

const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Pacific/Apia',
);
const schedules = fc.constantFrom(
  { cron: '0 0 * * *' },
  { cron: '30 2 * * *' },
  { cron: '15 1,2,3 * * *' },
  { cron: '5 * * * *' },
  { cron: '0 0 29 2 *' },
  { cron: '0 0 31 * *' },
  { cron: '0 0 1 * *' },
  { cron: '0 12 1 1 *' },
  { cron: '0 6 * * mon-fri' },
  { cron: '0 0 13 * fri' },
  { everyMs: 90 * 60_000 },
  { everyMs: 7 * 86_400_000 },
);
/** Around the changes of daylight saving, leap days, ends of months and years, and a day that one zone left out. */
const edges = fc
  .tuple(
    fc.constantFrom(
      '2011-12-30T00:00',
      '2018-11-04T03:00',
      '2024-02-29T00:00',
      '2024-12-31T23:00',
      '2026-03-08T07:00',
      '2026-03-29T01:00',
      '2026-04-04T15:00',
      '2026-10-25T01:00',
      '2026-11-01T06:00',
      '2100-02-28T23:00',
    ),
    fc.integer({ min: -72 * 60, max: 72 * 60 }),
  )
  .map(([edge, minutes]) => at(edge) + minutes * 60_000);

/** Ticks at arbitrary times, not in order, each of which may start only so many; what was started, in order. */
function played(calendar: Calendar, ticks: readonly { readonly now: number; readonly room: number }[]) {
  let tickedTo: string | null = null;
  const started: DataInterval[] = [];
  for (const { now, room } of ticks) {
    const due: DataInterval[] = [...dueIntervals(calendar, tickedTo, now)];
    started.push(...due.slice(0, room));
    if (due.length > room) tickedTo = due[room - 1]?.end ?? tickedTo;
    else tickedTo = dealtWithAt(calendar, tickedTo, now);
  }
  return started;
}

/** All intervals by walking tick after tick. */
function chain(calendar: Calendar, until: number): string[] {
  const found: string[] = [];
  const schedule = calendar.schedule!;
  let start = nextTick(schedule, calendar.timezone, Date.parse(calendar.startAt!) - 1);
  for (;;) {
    const end = nextTick(schedule, calendar.timezone, start);
    if (end > until) return found;
    found.push(`${new Date(start).toISOString().slice(0, 19)}Z ${new Date(end).toISOString().slice(0, 19)}Z`);
    start = end;
  }
}

const texts = (intervals: readonly DataInterval[]): string[] =>
  intervals.map((each) => `${each.start} ${each.end}`);

test('with catchup, ticks at any times in any order start every interval once, without a gap, oldest first', () => {
  fc.assert(
    fc.property(
      schedules,
      zones,
      edges,
      fc.array(
        fc.record({ ahead: fc.integer({ min: -48, max: 24 * 40 }), room: fc.integer({ min: 0, max: 30 }) }),
        {
          maxLength: 12,
        },
      ),
      (schedule, timezone, startAt, ticks) => {
        const calendar = { ...daily, schedule, timezone, startAt: new Date(startAt).toISOString() };
        const times = ticks.map(({ ahead, room }) => ({ now: startAt + ahead * hourMs, room }));
        const last = Math.max(startAt, ...times.map(({ now }) => now));
        const all = [...times, { now: last, room: Number.POSITIVE_INFINITY }];
        expect(texts(played(calendar, all))).toEqual(chain(calendar, last));
      },
    ),
    { numRuns: 400 },
  );
});

test('without catchup, ticks that come at least daily start every interval once from the first tick on', () => {
  fc.assert(
    fc.property(
      schedules,
      zones,
      edges,
      fc.array(fc.integer({ min: 0, max: lateTicksMs / 60_000 }), { minLength: 1, maxLength: 20 }),
      (schedule, timezone, begin, gaps) => {
        const calendar = { ...daily, schedule, timezone, startAt: null, catchup: false };
        let now = begin;
        const ticks = gaps.map((minutes) => ({
          now: (now += minutes * 60_000),
          room: Number.POSITIVE_INFINITY,
        }));
        const started = played(calendar, ticks);
        const firstEnd = previousTick(schedule, timezone, ticks[0]!.now);
        const from = previousTick(schedule, timezone, firstEnd - 1);
        expect(texts(started)).toEqual(chain({ ...calendar, startAt: new Date(from).toISOString() }, now));
      },
    ),
    { numRuns: 400 },
  );
});

test('without catchup, a clock that jumps starts nothing twice and always the latest interval', () => {
  fc.assert(
    fc.property(
      schedules,
      zones,
      edges,
      fc.array(fc.integer({ min: -24 * 60, max: 24 * 60 }), { minLength: 1, maxLength: 12 }),
      (schedule, timezone, begin, jumps) => {
        const calendar = { ...daily, schedule, timezone, startAt: null, catchup: false };
        const ticks = jumps.map((hours) => ({ now: begin + hours * hourMs, room: Number.POSITIVE_INFINITY }));
        const started = played(calendar, ticks);
        for (const [index, each] of started.slice(1).entries())
          expect(Date.parse(each.start)).toBeGreaterThanOrEqual(Date.parse(started[index]!.end));
        const latest = previousTick(schedule, timezone, Math.max(...ticks.map(({ now }) => now)));
        expect(Date.parse(started.at(-1)!.end)).toBe(latest);
      },
    ),
    { numRuns: 400 },
  );
});
