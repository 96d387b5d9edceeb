import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { OperatorChange } from '../../dag/reducer.ts';
import { cancelRun, progressOf, type RunHandle } from '../../workers/client.ts';
import { changeOpenRun, restartRun, standingOf } from '../../workers/operate.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from './harness.ts';

/** Where a body looks whether it is to fail, and what it counts its runs in. */
const broken = new Set<string>();
const ran: string[] = [];

function body(name: string) {
  return (input: number | undefined, { attempt }: TaskContext): number => {
    ran.push(`${name}#${attempt}`);
    if (broken.has(name)) throw new Error(`${name} is broken`);
    return (input ?? 0) + 1;
  };
}

const once = { retries: 0 };

const steps = (id: string, options: { onFailure?: 'hold' }) =>
  dag(id, options, ({ task }) => {
    const a = task('a', body(`${id}.a`), undefined, once);
    const b = task('b', body(`${id}.b`), a, once);
    task('c', body(`${id}.c`), b, once);
  });

const parts = dag('parts', {}, ({ task, map }) => {
  const list = task('list', () => [10, 20, 30]);
  const load = map(
    'load',
    list,
    (item: number) => {
      ran.push(`parts.load(${item})`);
      if (broken.has(`parts.load(${item})`)) throw new Error(`${item} is broken`);
      return item;
    },
    undefined,
    once,
  );
  task('sum', (all: readonly number[]) => all.reduce((sum, each) => sum + each, 0), load);
});

const stuck = dag('stuck', { onFailure: 'hold' }, ({ task }) => {
  const work = task(
    'work',
    (_: undefined, { signal, attempt }: TaskContext) =>
      attempt > 1
        ? Promise.resolve(7)
        : new Promise<number>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              ran.push('stuck.work was stopped');
              reject(new Error('stopped'));
            });
          }),
    undefined,
    once,
  );
  task('after', (input: number) => input, work);
});

const release = dag('release', {}, ({ task, approval }) => {
  const go = approval('go', { message: 'Release it?' });
  task('ship', (said: { approvedBy: string }) => said.approvedBy, go);
});

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.work([
    steps('operated_held', { onFailure: 'hold' }),
    steps('plain', {}),
    steps('operated_twice', {}),
    steps('marked', {}),
    parts,
    stuck,
    release,
  ]);
});
afterAll(() => bench[Symbol.asyncDispose]());

type Clear = Partial<Extract<OperatorChange, { type: 'tasks_cleared' }>>;

function clearing(request: Clear = {}): OperatorChange {
  const nothing = { tasks: [], downstream: false, upstream: false, onlyFailed: false };
  return { type: 'tasks_cleared', by: 'ann', ...nothing, ...request };
}

function marking(key: string, as: 'success' | 'failed', output: number | null = null): OperatorChange {
  return { type: 'task_marked', by: 'ann', key, as, output };
}

const isHeld = (run: RunHandle) =>
  eventually('the run to be held', async () => (await bench.ledger.run(run.runId))?.held || null);

const outputsOf = async (run: RunHandle): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (await bench.ledger.attempts(run.runId))
      .filter(({ state }) => state === 'success')
      .map((each) => [each.mapIndex < 0 ? each.taskId : `${each.taskId}[${each.mapIndex}]`, each.output]),
  );

async function restart(run: RunHandle, change: OperatorChange): Promise<RunHandle> {
  const record = await eventually('the run to be closed', async () => {
    const found = await bench.ledger.run(run.runId);
    return found !== null && found.state !== 'running' ? found : null;
  });
  return restartRun(bench.client, bench.taskQueue, record, change);
}

test('a held run stays open, says so everywhere, and goes on in place when it is cleared', async () => {
  broken.add('operated_held.b');
  const run = await bench.start('operated_held');
  await isHeld(run);
  expect(await bench.ledger.run(run.runId)).toMatchObject({ state: 'running', held: true });
  expect((await progressOf(bench.client, run))?.held).toBe(true);
  const described = await bench.client.workflow.getHandle(run.workflowId).describe();
  expect(described.searchAttributes['IngotState']).toEqual(['held']);
  broken.delete('operated_held.b');
  expect(await changeOpenRun(bench.client, run, clearing())).toEqual(['b', 'c']);
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(ran.filter((each) => each.startsWith('operated_held.'))).toEqual([
    'operated_held.a#1',
    'operated_held.b#1',
    'operated_held.b#2',
    'operated_held.c#1',
  ]);
  expect(await bench.ledger.run(run.runId)).toMatchObject({ state: 'success', held: false });
  const [event] = await bench.ledger.events({ keyPrefix: `run/${run.runId}/operator/` });
  expect(event).toMatchObject({ kind: 'tasks_cleared', payload: { by: 'ann', tasks: [] } });
});

test('a closed run starts again with its plan and what had succeeded, and only that runs which had not', async () => {
  broken.add('plain.b');
  const first = await bench.start('plain');
  expect(await bench.result(first)).toMatchObject({ state: 'failed' });
  broken.delete('plain.b');
  const second = await restart(first, clearing());
  expect(second.workflowId).toBe(first.workflowId);
  expect(await bench.result(second)).toMatchObject({ state: 'success' });
  expect(ran.filter((each) => each.startsWith('plain.'))).toEqual([
    'plain.a#1',
    'plain.b#1',
    'plain.b#2',
    'plain.c#1',
  ]);
  expect(await outputsOf(second)).toEqual({ a: 1, b: 2, c: 3 });
  const [before, after] = await Promise.all([first, second].map((run) => bench.ledger.run(run.runId)));
  expect(after?.planHash).toBe(before?.planHash);
  const [event] = await bench.ledger.events({ keyPrefix: `run/${second.runId}/operator/` });
  expect(event).toMatchObject({ kind: 'tasks_cleared', payload: { by: 'ann', from: first.runId } });
});

test('only the latest run of an interval can be started again', async () => {
  broken.add('operated_twice.b');
  const first = await bench.start('operated_twice');
  await bench.result(first);
  broken.delete('operated_twice.b');
  await bench.result(await restart(first, clearing()));
  const third = await restart(first, clearing());
  expect(await bench.result(third)).toMatchObject({
    state: 'failed',
    message: expect.stringContaining(`expected run ${first.runId} to be the latest`) as string,
  });
});

test('of a mapped task only the instances run again that failed', async () => {
  broken.add('parts.load(20)');
  const first = await bench.start('parts');
  expect(await bench.result(first)).toMatchObject({ state: 'failed' });
  broken.delete('parts.load(20)');
  const second = await restart(first, clearing({ tasks: ['load[1]'] }));
  expect(await bench.result(second)).toMatchObject({ state: 'success' });
  expect(ran.filter((each) => each.startsWith('parts.')).toSorted()).toEqual([
    'parts.load(10)',
    'parts.load(20)',
    'parts.load(20)',
    'parts.load(30)',
  ]);
  expect(await outputsOf(second)).toMatchObject({ sum: 60 });
});

test('a task of a closed run is marked as success with an output, and the rest follows', async () => {
  broken.add('marked.b');
  const first = await bench.start('marked');
  await bench.result(first);
  const second = await restart(first, marking('b', 'success', 40));
  expect(await bench.result(second)).toMatchObject({ state: 'success' });
  expect(await outputsOf(second)).toEqual({ a: 1, b: 40, c: 41 });
});

test('marking a running task as failed stops it; the run is held and can be cleared', async () => {
  const run = await bench.start('stuck');
  await eventually('the task to run', async () => (await bench.states(run))['work'] === 'running' || null);
  await changeOpenRun(bench.client, run, marking('work', 'failed'));
  await eventually('the body to be stopped', () => ran.includes('stuck.work was stopped') || null);
  await isHeld(run);
  expect(await bench.states(run)).toEqual({ work: 'failed', after: 'upstream_failed' });
  await changeOpenRun(bench.client, run, clearing());
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
});

test('a change that does not fit is refused with every reason, and leaves no trace in the history', async () => {
  const run = await bench.start('stuck', {
    interval: { start: '2026-02-01T00:00:00Z', end: '2026-02-02T00:00:00Z' },
  });
  await eventually('the task to run', async () => (await bench.states(run))['work'] === 'running' || null);
  await expect(changeOpenRun(bench.client, run, clearing({ tasks: ['work', 'nobody'] }))).rejects.toThrow(
    /task work: expected a task that has ended or waits for a retry; found running[^]*task nobody: expected one of after, work/,
  );
  const { events } = await bench.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  expect(events!.filter((each) => each.workflowExecutionUpdateAcceptedEventAttributes)).toEqual([]);
  await cancelRun(bench.client, run);
  expect(await bench.result(run)).toMatchObject({ state: 'cancelled' });
});

test('an approval waits, is answered, and its answer is kept', async () => {
  const run = await bench.start('release');
  await eventually('the approval to wait', async () => (await bench.states(run))['go'] === 'waiting' || null);
  const answer = {
    type: 'approval_answered',
    by: 'ann',
    key: 'go',
    note: 'fine',
    answer: 'approved',
  } as const;
  await changeOpenRun(bench.client, run, answer);
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(await outputsOf(run)).toMatchObject({ ship: 'ann', go: { approvedBy: 'ann', note: 'fine' } });
  const events = await bench.ledger.events({ keyPrefix: `run/${run.runId}/operator/` });
  expect(events).toMatchObject([{ kind: 'approval_answered', payload: { by: 'ann', answer: 'approved' } }]);
});

test('a held run stands as its view says, and goes on below a task that is marked', async () => {
  broken.add('operated_held.b');
  const run = await bench.start('operated_held', {
    interval: { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' },
  });
  await isHeld(run);
  broken.delete('operated_held.b');
  const { progress } = await standingOf(bench.client, bench.ledger, (await bench.ledger.run(run.runId))!);
  expect(progress.held).toBe(true);
  await changeOpenRun(bench.client, run, marking('b', 'success', 9));
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(await outputsOf(run)).toEqual({ a: 1, b: 9, c: 10 });
});
