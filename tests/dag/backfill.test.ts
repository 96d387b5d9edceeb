import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  backfillIntervals,
  backfillRange,
  backfillWorkflowId,
  decide,
  remainingMs,
  reprocessPolicies,
} from '../../dag/backfill.ts';
import type { BackfillRange } from '../../dag/backfill.ts';
import { intervalStartingAt } from '../../dag/interval.ts';
import type { Schedule } from '../../dag/schedule.ts';

const now = Date.parse('2026-11-20T12:00:00Z');

function limits(
  schedule: Schedule | null,
  timezone = 'UTC',
  startAt: string | null = null,
  endAt: string | null = null,
) {
  return { schedule, timezone, startAt, endAt };
}

function starts(of: ReturnType<typeof limits>, from: string, to: string, backwards = false): string[] {
  const range = backfillRange(of, { from, to }, backwards, now);
  if (!('backwards' in range)) throw new Error(range.map(({ message }) => message).join('\n'));
  return backfillIntervals(of, range)
    .map(({ start }) => start)
    .toArray();
}

test('both ends are included, and a date means the whole day whatever the schedule', () => {
  const daily = limits({ cron: '@daily' });
  expect(starts(daily, '2026-01-01', '2026-01-03')).toEqual([
    '2026-01-01T00:00:00Z',
    '2026-01-02T00:00:00Z',
    '2026-01-03T00:00:00Z',
  ]);
  expect(starts(daily, '2026-01-01', '2026-01-02', true)).toEqual([
    '2026-01-02T00:00:00Z',
    '2026-01-01T00:00:00Z',
  ]);
  expect(starts(limits({ cron: '0 6 * * *' }), '2026-01-01', '2026-01-01')).toEqual(['2026-01-01T06:00:00Z']);
  expect(starts(limits({ cron: '@hourly' }), '2026-01-01', '2026-01-01')).toHaveLength(24);
  expect(starts(limits({ cron: '@hourly' }), '2026-01-01T22:00:00Z', '2026-01-02T01:00:00Z')).toHaveLength(4);
  expect(starts(limits(null), '2024-02-28', '2024-03-01')).toHaveLength(3);
});

test('a day that the clocks change is one interval of a daily schedule, and 23 or 25 of an hourly one', () => {
  const zone = 'Europe/Berlin';
  expect(starts(limits({ cron: '@daily' }, zone), '2026-03-28', '2026-03-30')).toEqual([
    '2026-03-27T23:00:00Z',
    '2026-03-28T23:00:00Z',
    '2026-03-29T22:00:00Z',
  ]);
  expect(starts(limits({ cron: '@hourly' }, zone), '2026-03-29', '2026-03-29')).toHaveLength(23);
  expect(starts(limits({ cron: '@hourly' }, zone), '2026-10-25', '2026-10-25')).toHaveLength(25);
});

test('ten years of days are all there', () => {
  expect(starts(limits({ cron: '@daily' }), '2014-01-01', '2023-12-31')).toHaveLength(3652);
});

const refused: [string, string, string, RegExp][] = [
  ['what is no date', '2026-02-30', 'tomorrow', /--from: .*2026-02-30.*--to: .*tomorrow/s],
  ['an end before the beginning', '2026-02-03', '2026-02-01', /--to: .*not before 2026-02-03/],
  [
    'intervals that are not over',
    '2026-11-18',
    '2026-11-20',
    /--to: .*are over.*2026-11-20.*2026-11-19T00:00:00Z/,
  ],
  ['intervals before the start date', '2025-12-30', '2026-01-02', /--from: .*begins 2026-01-01/],
  ['intervals after the end date', '2026-01-01', '2026-12-01', /--to: .*ends 2026-10-31.*are over/s],
];

test.each(refused)('%s: refused, with what to do', (_, from, to, message) => {
  const of = limits({ cron: '@daily' }, 'UTC', '2026-01-01T00:00:00Z', '2026-10-31T00:00:00Z');
  const open = to === '2026-11-20' ? limits({ cron: '@daily' }) : of;
  const found = backfillRange(open, { from, to }, false, now);
  expect('backwards' in found).toBe(false);
  const problems = found as readonly { place: string; message: string }[];
  expect(problems.map((each) => `${each.place}: ${each.message}`).join('\n')).toMatch(message);
});

test('a range in which no interval starts is refused, with the nearest that do', () => {
  const found = backfillRange(
    limits({ cron: '@monthly' }),
    { from: '2026-02-02', to: '2026-02-20' },
    false,
    now,
  );
  expect(found).toMatchObject([
    { message: expect.stringContaining('2026-02-01T00:00:00Z and 2026-03-01T00:00:00Z') as string },
  ]);
});

const schedules = fc.constantFrom<Schedule>(
  { cron: '@daily' },
  { cron: '@hourly' },
  { cron: '30 2 * * *' },
  { cron: '0 0 29 2 *' },
  { cron: '0 9 * * 1-5' },
  { cron: '0 0 31 * *' },
  { everyMs: 7 * 3_600_000 },
);
const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
);

test('backwards is forwards turned round, without a gap, and any interval can be gone on from', () => {
  fc.assert(
    fc.property(
      schedules,
      zones,
      fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2025, 0, 1) }),
      fc.integer({ min: 0, max: 120 }),
      fc.nat(),
      (schedule, timezone, at, days, pick) => {
        const text = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
        const texts = { from: text(at), to: text(at + days * 86_400_000) };
        const of = limits(schedule, timezone);
        const range = backfillRange(of, texts, false, now);
        if (!('backwards' in range)) return;
        const all = (given: BackfillRange, cursor: string | null = null) =>
          backfillIntervals(of, given, cursor).toArray();
        const forwards = all(range);
        expect(forwards.length).toBeGreaterThan(0);
        for (const [index, { start, end }] of forwards.entries()) {
          expect(forwards[index + 1]?.start ?? end).toBe(end);
          expect(intervalStartingAt(schedule, timezone, Date.parse(start))).toMatchObject({ start, end });
        }
        expect(forwards[0]!.start).toBe(range.from);
        expect(forwards.at(-1)!.start).toBe(range.to);
        const backwards = { ...range, backwards: true };
        expect(all(backwards)).toEqual(forwards.toReversed());
        const index = pick % forwards.length;
        const { start } = forwards[index]!;
        expect(all(range, start)).toEqual(forwards.slice(index));
        expect(all(backwards, start)).toEqual(forwards.slice(0, index + 1).toReversed());
      },
    ),
    { numRuns: 150 },
  );
});

test('the policies, state by state', () => {
  const table = reprocessPolicies.map((policy) =>
    ([null, 'running', 'failed', 'cancelled', 'success'] as const).map(
      (state) => decide(policy, state).action,
    ),
  );
  expect(table).toEqual([
    ['start', 'skip', 'skip', 'skip', 'skip'],
    ['start', 'skip', 'start', 'start', 'skip'],
    ['start', 'skip', 'start', 'start', 'start'],
  ]);
});

test('the estimate follows the latest runs, and there is none before three ended', () => {
  expect(remainingMs([1000, 2000], 10, 2000)).toBeNull();
  expect(remainingMs([3000, 1000, 2000], 10, 4000)).toBe(10_000);
});

test('a backfill of one range has one workflow id', () => {
  expect(backfillWorkflowId('payments', { from: '2026-01-01T00:00:00Z', to: '2026-01-31T06:00:00Z' })).toBe(
    'ingot-backfill-payments-2026-01-01-2026-01-31T06:00:00Z',
  );
});
