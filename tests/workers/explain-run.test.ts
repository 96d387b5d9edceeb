import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainRun } from '../../workers/explain-run.ts';
import { queuePollers } from '../../workers/queue-pollers.ts';
import type { RunHandle } from '../../workers/client.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, type Bench } from '../workflows/harness.ts';

const one = (): number => 1;
const fails = (): never => {
  throw new Error('no rates');
};

const definitions = [
  dag('explained', { onFailure: 'hold' }, ({ task, approval }) => {
    const broken = task('broken', fails, undefined, { retries: 0 });
    task('below', one).after(broken);
    const go = approval('go', { message: 'Go?' });
    task('later', one, undefined, { retries: 0 }).after(go);
    task('again', fails, undefined, { retries: { limit: 1, initial: '1h' } });
  }),
  dag(
    'narrow',
    { maxActiveRuns: 1 },
    ({ task, approval }) => void task('x', one).after(approval('go', { message: '?' })),
  ),
  dag(
    'over',
    {},
    ({ task }) => void task('below', one).after(task('broken', fails, undefined, { retries: 0 })),
  ),
];

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

async function explained(run: RunHandle, taskQueue = bench.taskQueue) {
  const { client, ledger } = bench;
  const record = await eventually('the run in the ledger', () => ledger.run(run.runId));
  const { reasons, tasks } = await explainRun({ client, namespace: 'default', ledger, taskQueue }, record);
  return { reasons, why: Object.fromEntries(tasks.map(({ key, explanation }) => [key, explanation])), tasks };
}

test('a queue that nobody polls is named, and whoever polls one', async () => {
  expect(await queuePollers(bench.client, 'default', `nobody-${bench.taskQueue}`)).toMatchObject({
    workers: [],
    lastSeenAt: null,
  });
});

test('every reason is told from the run itself while it is open, and from the ledger once it has ended', async () => {
  const worker = await bench.work(definitions);
  const run = await bench.start('explained');
  await eventually(
    'the retry to wait',
    async () => (await bench.states(run))['again'] === 'up_for_retry' || null,
  );
  const { reasons, why } = await explained(run);
  expect(reasons).toEqual([]);
  expect(why).toMatchObject({
    broken: { kind: 'ended', state: 'failed' },
    below: { kind: 'ended', state: 'upstream_failed', because: [{ taskId: 'broken', state: 'failed' }] },
    go: { kind: 'waiting', for: { reason: 'approval', untilMs: null } },
    later: { kind: 'upstream_open', open: [{ taskId: 'go', state: 'waiting' }] },
    again: { kind: 'waiting', for: { reason: 'retry' } },
  });

  const first = await bench.start('narrow');
  await eventually(
    'the first to have its turn',
    async () => (await bench.states(first))['go'] === 'waiting' || null,
  );
  const second = await bench.start('narrow', {
    interval: { start: '2026-01-02T00:00:00Z', end: '2026-01-03T00:00:00Z' },
  });
  await eventually(
    'the second to be queued',
    async () => (await bench.ledger.run(second.runId))?.queued || null,
  );
  expect((await explained(second)).reasons).toEqual([
    { kind: 'max_active_runs', maxActiveRuns: 1, active: [first.workflowId], ahead: 0 },
  ]);

  const over = await bench.start('over');
  await bench.result(over);
  const ended = await explained(over);
  expect(ended.reasons).toMatchObject([{ kind: 'ended', state: 'failed' }]);
  expect(ended.tasks.find(({ key }) => key === 'broken')?.failure?.message).toBe('no rates');
  expect(ended.why['below']).toMatchObject({
    kind: 'ended',
    because: [{ taskId: 'broken', state: 'failed' }],
  });

  await worker.stop();
  const unanswered = await explained(run, `nobody-${bench.taskQueue}`);
  expect(unanswered.reasons).toMatchObject([{ kind: 'no_worker_polls', lastSeenAt: null }]);
});
