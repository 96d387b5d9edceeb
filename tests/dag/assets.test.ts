import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allOf,
  anyOf,
  assetsIn,
  conditionText,
  dueEvents,
  intervalOfEvent,
  isSatisfied,
  type AssetCondition,
  type WaitingEvents,
} from '../../dag/assets.ts';
import { createDagFactory } from '../../dag/builder.ts';
import { compileDag } from '../../dag/compile.ts';
import type { DagOptions } from '../../dag/declaration.ts';
import { DagProblemsError } from '../../dag/problems.ts';

const dag = createDagFactory<null>();
const sha256 = (text: string): string => String(text.length);
const compiled = (options: DagOptions, outlets?: readonly string[]) =>
  compileDag(
    dag('eater', options as DagOptions<Record<never, never>>, ({ task }) => {
      task('eat', () => 1, undefined, outlets === undefined ? {} : { outlets, inlets: outlets });
    }),
    { sha256 },
  ).plan;

describe('definitions', () => {
  test('a schedule on assets is part of the plan, beside a time or without', () => {
    const curated = { name: 'payments.curated', table: {} };
    expect(compiled({ schedule: { assets: curated } })).toMatchObject({
      schedule: null,
      assets: { asset: 'payments.curated' },
    });
    expect(compiled({ schedule: { assets: allOf('b', anyOf('a', curated)), or: '@daily' } })).toMatchObject({
      schedule: { cron: '0 0 * * *' },
      assets: { all: [{ asset: 'b' }, { any: [{ asset: 'a' }, { asset: 'payments.curated' }] }] },
    });
    expect(compiled({ schedule: '@daily' })).not.toHaveProperty('assets');
  });

  test('inlets and outlets are sorted, each once, and absent where there are none', () => {
    expect(compiled({}, ['b', 'a', 'b']).tasks[0]).toMatchObject({ inlets: ['a', 'b'], outlets: ['a', 'b'] });
    expect(compiled({}).tasks[0]).not.toHaveProperty('outlets');
    expect(compiled({}, []).tasks[0]).not.toHaveProperty('outlets');
  });

  test('everything wrong with assets is told at once', () => {
    const found = (): unknown =>
      compiled(
        {
          schedule: { assets: allOf('fine', 'not fine', anyOf()), or: { assets: 'x' } as never },
        },
        ['also wrong!'],
      );
    expect(found).toThrow(DagProblemsError);
    expect(found).toThrow(/has 5 problems/);
    expect(found).toThrow(/"not fine"/);
    expect(found).toThrow(/at least one asset; found {"any":\[\]}/);
    expect(found).toThrow(/schedule\.or to be a time/);
    expect(found).toThrow(/"also wrong!"/);
  });

  test('a condition reads as it is meant', () => {
    const of = allOf('a', anyOf('b', 'c'));
    expect(conditionText(of)).toBe('all of a, (any of b, c)');
    expect(assetsIn(of)).toEqual(['a', 'b', 'c']);
  });
});

describe('intervals', () => {
  test('an event asks for the interval of its cause, in the consumer’s own calendar', () => {
    const at = '2026-03-05T09:00:00Z';
    const hourly = { logicalDate: '2026-03-01T22:00:00Z', at };
    expect(intervalOfEvent({ schedule: null, timezone: 'UTC' }, hourly).start).toBe('2026-03-01T00:00:00Z');
    expect(intervalOfEvent({ schedule: null, timezone: 'Asia/Tokyo' }, hourly)).toMatchObject({
      start: '2026-03-01T15:00:00Z',
      end: '2026-03-02T15:00:00Z',
    });
    expect(
      intervalOfEvent({ schedule: { cron: '0 * * * *' }, timezone: 'UTC' }, { at, logicalDate: null }).end,
    ).toBe('2026-03-05T10:00:00Z');
  });
});

const names = ['a', 'b', 'c'] as const;
const condition: fc.Arbitrary<AssetCondition> = fc.oneof(
  ...names.map((asset) => fc.constant<AssetCondition>({ asset })),
  fc.constant(allOf('a', 'b')),
  fc.constant(anyOf('a', 'b', 'c')),
  fc.constant(allOf('a', anyOf('b', 'c'))),
);
const days = ['01', '02', '03'].map((day) => ({ start: `2026-01-${day}`, end: `2026-01-${day}T24` }));

type Step =
  | { readonly does: 'event'; readonly asset: string; readonly day: number }
  | { readonly does: 'look' }
  | { readonly does: 'end'; readonly which: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('event' as const),
      asset: fc.constantFrom(...names),
      day: fc.nat(2),
    }),
  },
  { weight: 3, arbitrary: fc.constant<Step>({ does: 'look' }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('end' as const), which: fc.nat(2) }) },
);

interface Event {
  readonly asset: string;
  readonly day: number;
  readonly id: number;
}

test('whatever the order of events, looks and ends: each event is given to one run of its interval, and no run to an unsatisfied one', () => {
  fc.assert(
    fc.property(
      condition,
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 1, max: 3 }),
      (of, steps, most) => {
        let waiting: Event[] = [];
        const open = new Set<string>();
        const given: { readonly start: string; readonly events: readonly Event[] }[] = [];
        let id = 0;
        const groups = (): WaitingEvents[] =>
          days.flatMap((day, index) => {
            const of_ = waiting.filter((event) => event.day === index);
            return of_.length === 0 ? [] : [{ ...day, assets: of_.map(({ asset }) => asset) }];
          });
        const look = (): void => {
          const { due, held } = dueEvents(of, groups(), ({ start }) => open.has(start), most - open.size);
          const all = groups().filter(({ assets }) => isSatisfied(of, new Set(assets)));
          expect([...due, ...held].map(({ start }) => start).sort()).toEqual(all.map(({ start }) => start));
          for (const { start } of due) {
            expect(open.has(start)).toBe(false);
            open.add(start);
            const events = waiting.filter((event) => days[event.day]!.start === start);
            expect(isSatisfied(of, new Set(events.map(({ asset }) => asset)))).toBe(true);
            waiting = waiting.filter((event) => !events.includes(event));
            given.push({ start, events });
          }
          expect(open.size).toBeLessThanOrEqual(most);
          // Nothing that could start is left: either there is no room, or what is held has a run under way.
          if (open.size < most) for (const each of held) expect(open.has(each.start)).toBe(true);
        };
        for (const each of steps) {
          if (each.does === 'event') waiting.push({ asset: each.asset, day: each.day, id: (id += 1) });
          else if (each.does === 'end') open.delete(days[each.which]!.start);
          else look();
        }
        open.clear();
        for (let round = 0; round < days.length; round += 1) {
          look();
          open.clear();
        }
        const ids = given.flatMap(({ events }) => events.map((event) => event.id));
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.length + waiting.length).toBe(id);
        for (const { assets } of groups()) expect(isSatisfied(of, new Set(assets))).toBe(false);
      },
    ),
    { numRuns: 300 },
  );
});
