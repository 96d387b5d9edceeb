import { expect, test } from 'vitest';
import { gatherer, portions } from '../../../engines/cloudwatch/data.ts';
import type { Measurement } from '../../../ports/metrics.ts';

const measured = (value: number, more: Partial<Measurement> = {}): Measurement => ({
  name: 'task_duration',
  value,
  unit: 'milliseconds',
  dimensions: { task: 'bronze', dag: 'payments' },
  at: '2026-01-02T03:04:05.678Z',
  ...more,
});

test('measurements of one minute, name and dimensions are one datum, that keeps every value', () => {
  const gathered = gatherer();
  gathered.add(measured(5));
  gathered.add(measured(7, { at: '2026-01-02T03:04:59Z', dimensions: { dag: 'payments', task: 'bronze' } }));
  gathered.add(measured(5));
  gathered.add(measured(5, { at: '2026-01-02T03:05:00Z' }));
  gathered.add(measured(Number.NaN));
  const data = gathered.take();
  expect(data).toHaveLength(2);
  expect(data[0]).toEqual({
    MetricName: 'task_duration',
    Unit: 'Milliseconds',
    Dimensions: [
      { Name: 'dag', Value: 'payments' },
      { Name: 'task', Value: 'bronze' },
    ],
    Timestamp: new Date('2026-01-02T03:04:00Z'),
    Values: [5, 7],
    Counts: [2, 1],
  });
  expect(gathered.take()).toEqual([]);
});

test('of more different values than CloudWatch takes their statistics are kept', () => {
  const gathered = gatherer();
  for (let value = 1; value <= 200; value += 1) gathered.add(measured(value));
  const [datum] = gathered.take();
  expect(datum!.Values).toBeUndefined();
  expect(datum!.StatisticValues).toEqual({ SampleCount: 200, Sum: 20_100, Minimum: 1, Maximum: 200 });
});

test('a dimension is text that CloudWatch takes', () => {
  const gathered = gatherer();
  gathered.add(measured(1, { dimensions: { a: '', b: ':größe', c: '表' } }));
  expect(gathered.take()[0]!.Dimensions!.map(({ Value }) => Value)).toEqual([
    '-',
    '_große'.replace('ß', '?'),
    '?',
  ]);
});

test('portions hold at most a thousand data and less text than CloudWatch takes, and all of them', () => {
  const gathered = gatherer();
  for (let n = 0; n < 2500; n += 1) gathered.add(measured(n, { dimensions: { dag: `d${n}` } }));
  const data = gathered.take();
  expect(portions(data).map(({ length }) => length)).toEqual([1000, 1000, 500]);
  const wide = data.map((each) => ({ ...each, MetricName: 'x'.repeat(3000) }));
  const found = portions(wide);
  expect(found.flat()).toEqual(wide);
  for (const each of found) expect(JSON.stringify(each).length).toBeLessThan(1_000_000);
  expect(portions([])).toEqual([]);
});
