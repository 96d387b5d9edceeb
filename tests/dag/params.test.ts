import { expect, test } from 'vitest';
import { resolveParamTexts, resolveParams } from '../../dag/params.ts';
import { dag, planOf } from './support.ts';

const plan = planOf(
  dag(
    'params',
    {
      params: {
        days: { type: 'integer', default: 3 },
        mode: { type: 'string', allowed: ['fast', 'slow'] },
        from: { type: 'date', required: false },
        rate: { type: 'number', default: 0.5 },
        dry: { type: 'boolean', default: false },
        extra: { type: 'json', default: {} },
      },
    },
    ({ task }) => void task('a', () => null),
  ),
);

test('params not given get their default, optional ones null', () => {
  expect(resolveParams(plan, { mode: 'fast' })).toEqual({
    values: { days: 3, mode: 'fast', from: null, rate: 0.5, dry: false, extra: {} },
    problems: [],
  });
});

test('every unknown, missing and unfit value is told at once', () => {
  const { problems } = resolveParams(plan, {
    days: 1.5,
    from: '2026-02-30',
    rate: '1',
    dry: 0,
    colour: 'red',
  });
  expect(problems.map((each) => `${each.place}: ${each.message}`)).toEqual([
    'param colour: expected one of days, mode, from, rate, dry, extra; found colour. Correct or remove it.',
    'param days: expected an integer; found 1.5. Give a value that fits.',
    'param mode: expected one of "fast", "slow"; found no value. Give one; it has no default.',
    'param from: expected a date YYYY-MM-DD; found "2026-02-30". Give a value that fits.',
    'param rate: expected a number; found "1". Give a value that fits.',
    'param dry: expected a boolean; found 0. Give a value that fits.',
  ]);
});

test('a value that is not allowed is a problem, a required one may not be null, an optional one may', () => {
  expect(resolveParams(plan, { mode: 'medium' }).problems).toHaveLength(1);
  expect(resolveParams(plan, { mode: null }).problems).toHaveLength(1);
  expect(resolveParams(plan, { mode: 'slow', from: null }).problems).toEqual([]);
});

test('texts are read by the type of the param', () => {
  expect(
    resolveParamTexts(plan, {
      days: '7',
      mode: 'slow',
      from: '2026-01-01',
      rate: '1e1',
      dry: 'true',
      extra: '{"a":[1]}',
    }),
  ).toEqual({
    values: { days: 7, mode: 'slow', from: '2026-01-01', rate: 10, dry: true, extra: { a: [1] } },
    problems: [],
  });
  expect(resolveParamTexts(plan, { days: 'many', mode: 'slow' }).problems[0]!.message).toBe(
    'expected an integer; found "many". Give a value that fits.',
  );
});
