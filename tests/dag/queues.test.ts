import { expect, test } from 'vitest';
import { compileDag } from '../../dag/compile.ts';
import type { DagOptions, TaskOptions } from '../../dag/declaration.ts';
import { isQueueName, namedQueues, taskQueueOf } from '../../dag/queues.ts';
import { dag, problemsOf, sha256 } from './support.ts';

function planned(options: TaskOptions, defaults: DagOptions['defaults'] = {}) {
  const definition = dag('d', { defaults }, ({ task, wait }) => {
    const only = task('only', () => 1, undefined, options);
    wait('pause', { for: '1s' }).after(only);
  });
  return compileDag(definition, { sha256 });
}

test('a task’s own queue comes before that of its DAG, and the default queue leaves no trace in the plan', () => {
  const queues = ({ plan }: ReturnType<typeof planned>) => plan.tasks.map(({ queue }) => queue);
  expect(queues(planned({ queue: 'gpu' }))).toEqual(['gpu', undefined]);
  expect(queues(planned({}, { queue: 'etl' }))).toEqual(['etl', undefined]);
  expect(queues(planned({ queue: 'gpu' }, { queue: 'etl' }))).toEqual(['gpu', undefined]);
  expect(queues(planned({ queue: 'default' }, { queue: 'etl' }))).toEqual([undefined, undefined]);
  expect(planned({ queue: 'default' }).hash).toBe(planned({}).hash);
  expect(planned({ queue: 'gpu' }).hash).not.toBe(planned({}).hash);
  expect(namedQueues([planned({ queue: 'gpu' }).plan, planned({}, { queue: 'etl' }).plan])).toEqual([
    'etl',
    'gpu',
  ]);
});

test('a queue that is no name, and one on a wait, are problems', () => {
  const definition = dag('d', {}, ({ task, wait }) => {
    task('a', () => 1, undefined, { queue: 'a.b' });
    task('b', () => 1, undefined, { queue: 7 as never });
    wait('c', { for: '1s' }, { queue: 'gpu' } as never);
  });
  expect(problemsOf(definition).map((text) => text.replace(/^dag d, task /, ''))).toEqual([
    'a: expected queue to be a name of at most 100 letters, digits, _ and -; found "a.b". Correct the option.',
    'b: expected queue to be a name of at most 100 letters, digits, _ and -; found 7. Correct the option.',
    'c: expected a wait to have no queue; found "gpu". No worker is needed to wait: leave it out.',
  ]);
});

test('a queue’s task queue lies under that of the default one', () => {
  expect(taskQueueOf('ingot', 'default')).toBe('ingot');
  expect(taskQueueOf('ingot', 'gpu')).toBe('ingot.gpu');
  expect(['gpu', 'big_memory-2', '*', '', 'a b', 'a.b'].filter(isQueueName)).toEqual(['gpu', 'big_memory-2']);
});
