import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { readHistory, type History } from './history-file.ts';
import { quietRuntime } from './parts.ts';
import { shapes } from './shapes.ts';

const folder = join(import.meta.dirname, 'histories');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.json'),
);

async function replay(
  file: string,
  change: (history: History) => void = () => {},
): Promise<Error | undefined> {
  quietRuntime();
  const codePath = await workflowBundle(join(import.meta.dirname, '../../.vitest/bundles'));
  const history = readHistory(readFileSync(join(folder, file), 'utf8'));
  change(history);
  const results = Worker.runReplayHistories({ workflowBundle: { codePath } }, [
    { workflowId: file, history },
  ]);
  for await (const result of results) return result.error;
  throw new Error(`nothing was replayed of ${file}`);
}

test('every shape of a run has a recorded history', () => {
  const recorded = new Set(files.map((file) => file.split('/').at(-1)));
  expect(shapes.map((shape) => `${shape.name}.json`).filter((name) => !recorded.has(name))).toEqual([]);
});

test.each(files)('the interpreter replays %s as it was recorded', async (file) => {
  expect(await replay(file)).toBeUndefined();
});

test('a history of another interpreter is noticed', async () => {
  const chain = files.find((file) => file.endsWith('chain.json'))!;
  const error = await replay(chain, ({ events }) => {
    const scheduled = events!.map((event) => event.activityTaskScheduledEventAttributes).find(Boolean);
    scheduled!.activityType!.name = 'chain.t7';
  });
  expect(error?.name).toBe('DeterminismViolationError');
});
