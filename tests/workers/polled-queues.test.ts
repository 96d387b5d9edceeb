import { expect, test } from 'vitest';
import { compileDefinitions } from '../../workers/definitions.ts';
import { polledTaskQueues, type WorkerSettings } from '../../workers/worker.ts';
import { dag } from '../workflows/parts.ts';

const definitions = compileDefinitions([
  dag('d', { defaults: { queue: 'etl' } }, ({ task }) => {
    task('a', () => 1);
    task('b', () => 1, undefined, { queue: 'gpu' });
  }),
]);

const polled = (queues?: readonly string[]) =>
  polledTaskQueues({ taskQueue: 'ingot', definitions, ...(queues && { queues }) } as WorkerSettings);

test('a worker polls the default queue unless told, the ones it is told, or all its DAGs name', () => {
  expect(polled()).toEqual(['ingot']);
  expect(polled(['gpu'])).toEqual(['ingot.gpu']);
  expect(polled(['gpu', 'default', 'gpu'])).toEqual(['ingot', 'ingot.gpu']);
  expect(polled(['*'])).toEqual(['ingot', 'ingot.etl', 'ingot.gpu']);
  expect(polled(['*', 'spare'])).toEqual(['ingot', 'ingot.etl', 'ingot.gpu', 'ingot.spare']);
});
