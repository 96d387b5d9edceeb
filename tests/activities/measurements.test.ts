import { expect, test } from 'vitest';
import {
  measurementsOfAttempts,
  measurementsOfPublication,
  measurementsOfRun,
} from '../../activities/measurements.ts';
import type { AttemptRecord, Manifest, RuleResult } from '../../ports/ledger.ts';

const attempt: AttemptRecord = {
  taskId: 'bronze',
  mapIndex: -1,
  attempt: 1,
  state: 'success',
  scheduledAt: '2026-01-02T00:00:00Z',
  startedAt: '2026-01-02T00:00:01Z',
  endedAt: '2026-01-02T00:00:03.5Z',
  worker: 'w',
  failure: null,
  output: null,
};

test('a run is counted by DAG and outcome, with how long it took', () => {
  const run = { dagId: 'payments', startedAt: '2026-01-02T00:00:00Z', endedAt: '2026-01-02T00:01:00Z' };
  const common = { dimensions: { dag: 'payments', state: 'failed' }, at: run.endedAt };
  expect(measurementsOfRun({ ...run, outcome: 'failed' })).toEqual([
    { ...common, name: 'runs', value: 1, unit: 'count' },
    { ...common, name: 'run_duration', value: 60_000, unit: 'milliseconds' },
  ]);
});

test('attempts are counted once they have ended, and timed if they ran', () => {
  const running: AttemptRecord = { ...attempt, state: 'running', endedAt: null };
  const skipped: AttemptRecord = { ...attempt, state: 'skipped', startedAt: null };
  const found = measurementsOfAttempts('payments', [running, attempt, skipped]);
  expect(found.map(({ name, value, dimensions }) => [name, value, dimensions['state']])).toEqual([
    ['tasks', 1, 'success'],
    ['task_duration', 2500, 'success'],
    ['tasks', 1, 'skipped'],
  ]);
  expect(found[0]!.dimensions).toEqual({ dag: 'payments', task: 'bronze', state: 'success' });
});

test('what is published is summed by table, and rows that broke a rule by rule', () => {
  const output = (table: string, rows: number, bytes: number): Manifest['outputs'][number] => ({
    table,
    partition: {},
    files: [],
    rows,
    bytes,
    columns: {},
    removed: false,
  });
  const rule = (name: string, outcome: RuleResult['outcome'], failed: number): RuleResult => ({
    table: 'p.curated',
    partition: 'd=1',
    rule: name,
    severity: 'warn',
    outcome,
    checked: 10,
    failed,
    details: {},
  });
  const found = measurementsOfPublication(
    {
      outputs: [output('p.curated', 3, 30), output('p.audit', 1, 10), output('p.curated', 4, 40)],
      rules: [rule('a', 'warn', 2), rule('a', 'fail', 3), rule('b', 'pass', 1)],
    },
    '2026-01-02T00:00:00Z',
  );
  expect(found.map(({ name, value, dimensions }) => [name, value, dimensions])).toEqual([
    ['rows', 7, { table: 'p.curated' }],
    ['rows', 1, { table: 'p.audit' }],
    ['bytes', 70, { table: 'p.curated' }],
    ['bytes', 10, { table: 'p.audit' }],
    ['quality_failures', 5, { table: 'p.curated', rule: 'a' }],
  ]);
});
