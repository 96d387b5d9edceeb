import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  NoIntervalError,
  instantOfText,
  intervalContaining,
  intervalForDate,
  intervalStartingAt,
  runWorkflowId,
} from '../../dag/interval.ts';

const daily = { cron: '0 0 * * *' };

test("the interval of a date is the one that starts at midnight of that day in the DAG's zone", () => {
  expect(intervalForDate({ schedule: daily, timezone: 'UTC' }, '2026-01-01')).toEqual({
    start: '2026-01-01T00:00:00Z',
    end: '2026-01-02T00:00:00Z',
    logicalDate: '2026-01-01T00:00:00Z',
  });
  expect(intervalForDate({ schedule: daily, timezone: 'America/New_York' }, '2026-03-08')).toMatchObject({
    start: '2026-03-08T05:00:00Z',
    end: '2026-03-09T04:00:00Z',
  });
  expect(intervalForDate({ schedule: { cron: '0 * * * *' }, timezone: 'UTC' }, '2026-01-01')).toMatchObject({
    end: '2026-01-01T01:00:00Z',
  });
});

test('a DAG without a schedule covers the calendar days of its zone', () => {
  expect(intervalForDate({ schedule: null, timezone: 'UTC' }, '2024-02-29')).toMatchObject({
    start: '2024-02-29T00:00:00Z',
    end: '2024-03-01T00:00:00Z',
  });
  expect(intervalForDate({ schedule: null, timezone: 'Asia/Kathmandu' }, '2026-01-01')).toMatchObject({
    start: '2025-12-31T18:15:00Z',
  });
});

test('an instant is a date too, in any offset', () => {
  expect(
    intervalForDate({ schedule: { everyMs: 3_600_000 }, timezone: 'UTC' }, '2026-01-01T02:00:00+01:00'),
  ).toMatchObject({ start: '2026-01-01T01:00:00Z' });
});

test('a date at which no interval starts is refused with the nearest that do', () => {
  const monthly = { schedule: { cron: '0 0 1 * *' }, timezone: 'UTC' };
  expect(() => intervalForDate(monthly, '2026-01-15')).toThrow(NoIntervalError);
  expect(() => intervalForDate(monthly, '2026-01-15')).toThrow(
    'found 2026-01-15T00:00:00Z. The nearest are 2026-01-01T00:00:00Z and 2026-02-01T00:00:00Z.',
  );
  expect(() => intervalForDate(monthly, '15/01/2026')).toThrow('YYYY-MM-DD');
});

test.each([
  ['2026-01-01', '2026-01-01T00:00:00.000Z'],
  ['2026-01-01T06:30Z', '2026-01-01T06:30:00.000Z'],
  ['2026-01-01 06:30:15.25z', '2026-01-01T06:30:15.250Z'],
  ['2026-01-01T00:30:00-0130', '2026-01-01T02:00:00.000Z'],
])('%s is an instant', (text, instant) => {
  expect(new Date(instantOfText(text, 'UTC')!).toISOString()).toBe(instant);
});

test.each([
  '2026-02-29',
  '2026-1-1',
  '2026-01-01T06:30',
  '2026-01-01T24:00:00Z',
  '2026-02-30T00:00:00Z',
  'now',
  '',
  20260101,
  null,
])('%s is no instant', (text) => {
  expect(instantOfText(text, 'UTC')).toBeNull();
});

test('a run is named by its DAG and the end of its interval', () => {
  expect(runWorkflowId('payments', intervalForDate({ schedule: daily, timezone: 'UTC' }, '2026-01-01'))).toBe(
    'payments-2026-01-02T00:00:00Z',
  );
});

const schedules = fc.constantFrom(
  { cron: '0 0 * * *' },
  { cron: '30 2 * * 1-5' },
  { cron: '15 * * * *' },
  { cron: '0 */6 1 * *' },
  { everyMs: 5_400_000 },
);
const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
);
const instants = fc.integer({ min: Date.parse('2015-01-01T00:00Z'), max: Date.parse('2035-01-01T00:00Z') });

test('intervals cover every instant exactly once, without gaps, and are found again by their start', () => {
  fc.assert(
    fc.property(schedules, zones, instants, (schedule, timezone, at) => {
      const covering = intervalContaining(schedule, timezone, at);
      const [start, end] = [Date.parse(covering.start), Date.parse(covering.end)];
      expect(start <= at && at < end).toBe(true);
      expect(intervalStartingAt(schedule, timezone, start)).toEqual(covering);
      expect(intervalContaining(schedule, timezone, end).start).toBe(covering.end);
      expect(intervalContaining(schedule, timezone, end - 1)).toEqual(covering);
      if (at !== start) expect(() => intervalStartingAt(schedule, timezone, at)).toThrow(NoIntervalError);
    }),
    { numRuns: 300 },
  );
});
