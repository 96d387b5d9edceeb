import { expect, test } from 'vitest';
import { chooseEngine } from '../../activities/engine-choice.ts';
import type { ClusterUse } from '../../activities/task-context.ts';
import { backgroundCluster } from '../support/background-cluster.ts';

const cluster = backgroundCluster({ run: () => Promise.reject(new Error('nothing runs here')) });
const use = (preference: ClusterUse['preference']): ClusterUse => ({
  cluster,
  preference,
  fromBytes: 1024 ** 3,
});

test('without a cluster everything is computed in the worker, and only a wish that was not met is told', () => {
  expect(chooseEngine(null, 10 ** 12, undefined)).toEqual({ on: 'worker', reason: null });
  expect(chooseEngine('duckdb', 0, undefined)).toEqual({ on: 'worker', reason: null });
  expect(chooseEngine('spark', 0, undefined)).toEqual({
    on: 'worker',
    reason: 'the model says spark, but there is no cluster',
  });
});

test('auto goes by the bytes of the inputs, from the limit on to the cluster', () => {
  expect(chooseEngine(null, 1024 ** 3 - 1, use('auto'))).toEqual({
    on: 'worker',
    reason: 'auto: inputs of 1024.0 MiB, less than 1024.0 MiB',
  });
  expect(chooseEngine('auto', 1024 ** 3, use('duckdb'))).toEqual({
    on: 'cluster',
    reason: 'auto: inputs of 1024.0 MiB, at least 1024.0 MiB',
  });
  expect(chooseEngine(null, 0, use('auto')).reason).toBe('auto: inputs of 0 KiB, less than 1024.0 MiB');
});

test('the model’s word goes before the configuration’s', () => {
  expect(chooseEngine('duckdb', 10 ** 12, use('spark'))).toEqual({
    on: 'worker',
    reason: 'the model says duckdb',
  });
  expect(chooseEngine('spark', 0, use('duckdb'))).toEqual({ on: 'cluster', reason: 'the model says spark' });
  expect(chooseEngine(null, 0, use('spark'))).toEqual({
    on: 'cluster',
    reason: 'the configuration says spark',
  });
});
