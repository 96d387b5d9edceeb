import { expect, expectTypeOf, test } from 'vitest';
import { contract, contractJson, nullable, upperText } from '../../dag/contract.ts';
import type { RowOf } from '../../dag/contract.ts';
import { canonicalJson } from '../../dag/json.ts';
import { between, check, notNull, parseThreshold, unique } from '../../dag/rules.ts';
import type { Rule } from '../../dag/rules.ts';

const columns = {
  day: 'date',
  id: 'bigint',
  price: 'decimal(9,2)',
  seats: 'int',
  note: nullable('text', 'anything'),
  tags: 'text[]',
  open: 'boolean',
  code: upperText(),
} as const;

function shop(
  change: {
    readonly description?: string;
    readonly rules?: readonly Rule[];
    readonly key?: readonly ('id' | 'day')[];
  } = {},
) {
  return contract({
    table: 'shop.sales',
    zone: 'silver',
    description: 'Sales.',
    partitionBy: ['day'],
    columns,
    ...change,
  });
}

test('a contract gives the type of a row, without numbers that lose digits', () => {
  expectTypeOf<RowOf<ReturnType<typeof shop>>>().toEqualTypeOf<{
    readonly day: string;
    readonly id: string;
    readonly price: string;
    readonly seats: number;
    readonly note: string | null;
    readonly tags: readonly string[];
    readonly open: boolean;
    readonly code: string;
  }>();
  expectTypeOf(shop().name).toEqualTypeOf<'shop.sales'>();
});

test('a contract gives the table of the lake', () => {
  expect(shop().table).toEqual({
    name: 'shop.sales',
    zone: 'silver',
    description: 'Sales.',
    partitionBy: ['day'],
    columns: [
      { name: 'day', type: 'date', nullable: false },
      { name: 'id', type: 'bigint', nullable: false },
      { name: 'price', type: 'decimal(9,2)', nullable: false },
      { name: 'seats', type: 'int', nullable: false },
      { name: 'note', type: 'text', nullable: true, description: 'anything' },
      { name: 'tags', type: 'text[]', nullable: false },
      { name: 'open', type: 'boolean', nullable: false },
      { name: 'code', type: 'text', nullable: false },
    ],
  });
});

test('what is hashed changes with columns, keys and rules, not with descriptions', () => {
  const text = (change: Parameters<typeof shop>[0]): string => canonicalJson(contractJson(shop(change)));
  expect(text({ description: 'Other words.' })).toBe(text({}));
  expect(text({ rules: [notNull('id', { description: 'told' })] })).toBe(text({ rules: [notNull('id')] }));
  expect(
    new Set([
      text({}),
      text({ key: ['id'] }),
      text({ rules: [notNull('id')] }),
      text({ rules: [notNull('id', { severity: 'warn' })] }),
    ]).size,
  ).toBe(4);
});

test('all problems of a declaration are reported at once', () => {
  const declare = () =>
    contract({
      table: 'Sales',
      zone: 'gold',
      description: '',
      partitionBy: ['month' as never],
      columns: { 'Unit Price': 'int' },
      key: ['id' as never],
      rules: [
        notNull('id'),
        check('twice', 'true'),
        check('twice', 'true'),
        check('Odd Name', 'true'),
        between('id', {}, { name: 'b', errorIf: '>many' as never }),
      ],
    });
  expect(declare).toThrow(/has \d+ problems/);
  for (const part of [
    'Sales',
    'Unit Price',
    'partitionBy',
    'month',
    'key',
    'rule not_null_id',
    'the name twice',
    'Odd Name',
    '>many',
  ])
    expect(declare).toThrow(part);
});

test('rules know dbt’s thresholds and Great Expectations’ mostly', () => {
  expect(notNull('id')).toMatchObject({
    name: 'not_null_id',
    scope: 'row',
    severity: 'error',
    warnIf: '>0',
    errorIf: null,
  });
  expect(unique(['day', 'id'])).toMatchObject({ name: 'unique_day_id', scope: 'dataset', errorIf: '>0' });
  expect(notNull('id', { mostly: 0.95 }).errorIf).toBe('>5%');
  expect(notNull('id', { mostly: 0.999 }).errorIf).toBe('>0.1%');
  expect(parseThreshold('>=5%')).toEqual({ strict: false, value: 5, percent: true });
  expect(() => parseThreshold('5' as never)).toThrow(RangeError);
});
