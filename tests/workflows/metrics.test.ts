import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { Measurement, Metrics } from '../../ports/metrics.ts';
import { bronze, manifest, output, rates, silver, silverSlice, writes } from '../ports/ledger/fixture.ts';
import { dag, openBench } from './harness.ts';

function keptMetrics(): Metrics & { readonly kept: Measurement[] } {
  const kept: Measurement[] = [];
  return { kept, record: (measurements) => void kept.push(...measurements), close: async () => {} };
}

test('a run is measured: its outcome, its tasks, what it published and what failed a rule', async () => {
  await using bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const slice = silverSlice('2026-01-01', 'a');
  const measured = dag('measured', {}, ({ task }) => {
    task('load', async (_: undefined, { ports, stage }: TaskContext) => {
      const { snapshot } = await ports.ledger.snapshot([writes(slice)]);
      const rule = {
        table: 'shop.silver',
        partition: 'day=2026-01-01',
        rule: 'amount_positive',
        severity: 'warn' as const,
        outcome: 'warn' as const,
        checked: 10,
        failed: 3,
        details: {},
      };
      stage({ ...manifest(snapshot, [output(slice)]), rules: [rule] });
      return 1;
    });
    task('break', () => {
      throw new TerminalError({ expected: 'a failure', found: 'one', remedy: 'None.' });
    });
  });
  const metrics = keptMetrics();
  await bench.work([measured], { metrics });
  const run = await bench.start('measured');
  expect(await bench.result(run)).toMatchObject({ state: 'failed' });
  const counted = metrics.kept
    .filter(({ unit }) => unit === 'count')
    .map(({ name, value, dimensions }) => JSON.stringify([name, value, dimensions]));
  const written = output(slice);
  const expected = [
    ['quality_failures', 3, { table: 'shop.silver', rule: 'amount_positive' }],
    ['rows', written.rows, { table: 'shop.silver' }],
    ['runs', 1, { dag: 'measured', state: 'failed' }],
    ['tasks', 1, { dag: 'measured', task: 'break', state: 'failed' }],
    ['tasks', 1, { dag: 'measured', task: 'load', state: 'success' }],
  ];
  expect(counted.toSorted()).toEqual(expected.map((each) => JSON.stringify(each)).toSorted());
  expect(metrics.kept.filter(({ name }) => name === 'run_duration')).toHaveLength(1);
});

test('metrics that throw fail no step', async () => {
  await using bench = await openBench();
  await bench.ledger.registerTables([bronze, silver, rates]);
  const slice = silverSlice('2026-01-01', 'b');
  const unmeasured = dag('unmeasured', {}, ({ task }) => {
    task('only', async (_: undefined, { ports, stage }: TaskContext) => {
      const { snapshot } = await ports.ledger.snapshot([writes(slice)]);
      stage(manifest(snapshot, [output(slice)]));
    });
  });
  const broken: Metrics = {
    record: () => {
      throw new Error('broken');
    },
    close: async () => {},
  };
  await bench.work([unmeasured], { metrics: broken });
  const run = await bench.start('unmeasured');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
});
