import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runDisplay, type RunDisplay } from '../../cli/run-view.ts';
import type { RunView, TaskView } from '../../ports/run-steps.ts';

let lines: string[];
let display: RunDisplay;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  lines = [];
  display = runDisplay('sales', (line) => lines.push(line));
});
afterEach(() => void vi.useRealTimers());

function task(key: string, state: TaskView['state'], scheduledAt: string | null): TaskView {
  return {
    key: key as TaskView['key'],
    taskId: key,
    kind: 'task',
    state,
    attempt: scheduledAt === null ? 0 : 1,
    waitingFor: null,
    failure: null,
    scheduledAt,
    endedAt: null,
  };
}

function view(tasks: readonly TaskView[]): RunView {
  return {
    dagId: 'sales',
    runId: 'r',
    planHash: tasks.length === 0 ? null : 'p',
    state: 'running',
    waitingFor: tasks.length === 0 ? 'a worker that knows the DAG' : null,
    cancelRequested: false,
    facts: null,
    tasks,
  };
}

test('tasks are shown in the order in which they began, those that never did last', () => {
  display.show(
    view([
      task('c', 'upstream_failed', null),
      task('b', 'failed', '2026-01-01T00:00:02.000Z'),
      task('a', 'success', '2026-01-01T00:00:01.000Z'),
    ]),
    new Map(),
  );
  expect(lines.map((line) => line.split('  ')[1])).toEqual(['a', 'b', 'c']);
});

test('a run that no worker begins says so once, with a remedy, and not at once', () => {
  display.show(view([]), new Map());
  expect(lines).toEqual([]);
  for (let seconds = 0; seconds < 3; seconds += 1) {
    vi.advanceTimersByTime(10_000);
    display.show(view([]), new Map());
  }
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/waiting for a worker that knows the DAG\. .*`ingot down`/);
});

test('what stands in the way from outside is said once', () => {
  const running = view([task('train', 'running', '2026-01-01T00:00:00Z')]);
  display.show(running, new Map());
  display.show(running, new Map(), ['no worker polls queue gpu']);
  display.show(running, new Map(), ['no worker polls queue gpu']);
  expect(lines).toEqual(['sales  train  running', 'sales  no worker polls queue gpu']);
});

test('of a run too large to show, the counts and what may need somebody are told', () => {
  const large = (success: number): RunView => ({
    ...view([
      {
        ...task('each[7]', 'failed', '2026-01-01T00:00:01.000Z'),
        failure: { type: 'Error', message: 'no such file', retryable: false },
      },
      task('each[8]', 'running', '2026-01-01T00:00:02.000Z'),
    ]),
    counts: { success, failed: 1, running: 500, none: 0 },
  });
  display.show(large(1200), new Map());
  display.show(large(1200), new Map());
  display.show(large(1300), new Map());
  expect(lines).toEqual([
    'sales  1,200 success, 1 failed, 500 running',
    'sales  each[7]  failed  no such file',
    'sales  1,300 success, 1 failed, 500 running',
  ]);
});
