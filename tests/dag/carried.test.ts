import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  packEarlier,
  packPlan,
  packProgress,
  unpackEarlier,
  unpackPlan,
  unpackProgress,
} from '../../dag/carried.ts';
import { packRecords, unpackRecords } from '../../dag/columns.ts';
import type { JsonObject } from '../../dag/json.ts';
import { Driven, dag, planOf } from './support.ts';
import { randomRun } from './random-runs.ts';

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(null, 0, -1, 1, 'a', 'b', true) },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
);
const record = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value);

test('any list of records comes back as it was packed', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 30 }), (records) => {
      const there = JSON.parse(JSON.stringify(records)) as JsonObject[];
      const packed = JSON.parse(JSON.stringify(packRecords(there))) as ReturnType<typeof packRecords>;
      expect(unpackRecords(packed)).toEqual(there);
    }),
  );
});

test('any plan comes back as it was packed', () => {
  fc.assert(
    fc.property(randomRun, ({ plan }) => {
      expect(unpackPlan(packPlan(plan))).toEqual(plan);
    }),
  );
});

test('an earlier run comes back as it was packed', () => {
  fc.assert(
    fc.property(randomRun, ({ plan }) => {
      const { instances } = new Driven(plan).progress;
      const some = Object.values(instances).map(
        ({ taskId, mapIndex, attempt, state, output, failure, scheduledAt, endedAt }) => {
          return { taskId, mapIndex, attempt, state, output, failure, scheduledAt, endedAt };
        },
      );
      const earlier = { outcome: 'failed', instances: some } as const;
      expect(unpackEarlier(packEarlier(earlier))).toEqual(earlier);
    }),
  );
});

test('progress comes back with every field, also those a new instance has not', () => {
  const plan = planOf(
    dag('carried', { maxActiveTasks: 2 }, ({ map, sensor, task }) => {
      map('each', ['a', 'b', 'c', 'd'], (name: string) => name);
      sensor('ready', () => ({ done: false }), undefined, { timeout: '1h' });
      task('broken', () => null);
    }),
  );
  const run = new Driven(plan).fail('broken', { retryable: true }).succeed('each[0]', { a: [1] });
  run.tell({ type: 'drain_requested' });
  expect(unpackProgress(packProgress(run.progress))).toEqual(run.progress);
});

test('ten thousand tasks, and as many instances, are carried in a fraction of what Temporal takes', () => {
  const plan = planOf(
    dag('large', {}, ({ task }) => {
      let last = task('first', () => null);
      for (let index = 0; index < 10_000; index += 1) last = task(`step-${index}`, () => null).after(last);
    }),
  );
  expect(packPlan(plan).length).toBeLessThan(512 * 1024);
  expect(packProgress(new Driven(plan).succeed('first').progress).length).toBeLessThan(256 * 1024);
});
