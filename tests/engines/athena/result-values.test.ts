import { expect, test } from 'vitest';
import { resultColumn, resultValue } from '../../../engines/athena/result-values.ts';

test('values have the same text as on the embedded engine', () => {
  const value = (text: string | undefined, type: string) =>
    resultValue(text === undefined ? {} : { VarCharValue: text }, type);
  expect(value(undefined, 'text')).toBeNull();
  expect(value('', 'text')).toBe('');
  expect([value('true', 'boolean'), value('false', 'boolean')]).toEqual([true, false]);
  expect(value('12345678901234567890.10', 'decimal(38,2)')).toBe('12345678901234567890.10');
  expect(['1.0', '1.0E10', '-0.1', '1.0E-7', 'NaN'].map((text) => value(text, 'double'))).toEqual([
    '1',
    '10000000000',
    '-0.1',
    '1e-7',
    'NaN',
  ]);
  const instants = [
    '2026-01-01 10:00:00.000',
    '2026-01-01 10:00:00.120',
    '2026-01-01 10:00:00.001 UTC',
    '2026-01-10 10:00:00',
  ];
  expect(instants.map((text) => value(text, 'timestamp'))).toEqual([
    '2026-01-01 10:00:00',
    '2026-01-01 10:00:00.12',
    '2026-01-01 10:00:00.001 UTC',
    '2026-01-10 10:00:00',
  ]);
  expect(value('[x, é7]', 'array')).toBe('[x, é7]');
});

test('types have the product’s names, where it has one', () => {
  const types = ['varchar', 'integer', 'bigint', 'real', 'date', 'timestamp', 'array', 'row'];
  expect(types.map((Type) => resultColumn({ Name: 'x', Type }).type)).toEqual([
    'text',
    'int',
    'bigint',
    'double',
    'date',
    'timestamp',
    'array',
    'row',
  ]);
  expect(resultColumn({ Name: 'x', Type: 'decimal', Precision: 18, Scale: 2 })).toEqual({
    name: 'x',
    type: 'decimal(18,2)',
  });
});
