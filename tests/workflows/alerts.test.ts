import { expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import { allNotifiers, webhookNotifier } from '../../engines/notify/notifier.ts';
import type { LedgerEvent } from '../../ports/ledger.ts';
import type { Notification, Notifier } from '../../ports/notifier.ts';
import { cancelRun, type RunHandle } from '../../workers/client.ts';
import { eventually } from '../support/processes.ts';
import { openReceiver } from '../support/receiver.ts';
import { dag, openBench, type Bench } from './harness.ts';

const quick = { initialMs: 100, maxMs: 200, forMs: 3_600_000 };
const one = (): number => 1;
const fail = (): never => {
  throw new Error('no oil');
};
const once = { retries: 0 };

function listener(): { readonly notifier: Notifier; readonly heard: Notification[] } {
  const heard: Notification[] = [];
  return { notifier: { notify: async (each) => void heard.push(each) }, heard };
}

/** Events of the run's alerts by key, once there are as many: what was raised may be noted after what was delivered. */
function alertEvents(bench: Bench, { runId }: RunHandle, count: number): Promise<readonly LedgerEvent[]> {
  return eventually(`${count} alert events`, async () => {
    const events = await bench.ledger.events({ keyPrefix: `alert/${runId}/` });
    return events.length >= count ? events.toSorted((a, b) => (a.key < b.key ? -1 : 1)) : null;
  });
}

test('a failed run is told once, with what is needed to act', async () => {
  await using bench = await openBench();
  const { notifier, heard } = listener();
  await bench.work(
    [
      dag(
        'spill',
        { alerts: { topic: 'oncall', onFailure: { message: 'No oil on {date}.' } } },
        ({ task }) => {
          task('broken', fail, undefined, once);
        },
      ),
    ],
    { notifier },
  );
  const run = await bench.start('spill');
  expect(await bench.result(run)).toMatchObject({ state: 'failed' });
  const events = await alertEvents(bench, run, 2);
  expect(events.map(({ key, kind }) => [key, kind])).toEqual([
    [`alert/${run.runId}/failed`, 'alert_raised'],
    [`alert/${run.runId}/failed/to/notifier`, 'alert_delivered'],
  ]);
  expect(heard).toEqual([
    {
      key: `${run.runId}/failed`,
      topic: 'oncall',
      severity: 'error',
      title: 'spill 2026-01-01 failed',
      message: [
        'No oil on 2026-01-01.',
        'broken: Error: no oil',
        `Run ${run.runId} (manual), interval 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z.`,
        `  ingot runs show ${run.workflowId}`,
        `  ingot tasks logs ${run.workflowId} broken`,
      ].join('\n'),
      context: expect.objectContaining({
        alert: 'run_failed',
        run: run.runId,
        workflow: run.workflowId,
        failure: { task: 'broken', type: 'Error', message: 'no oil', retryable: true },
      }) as object,
    },
  ]);
});

test('retries, tasks and success are told where they are wanted, and a task may say no', async () => {
  await using bench = await openBench();
  const { notifier, heard } = listener();
  const again = { retries: { limit: 2, initialMs: 10, factor: 1 } };
  const secondTime = (_: undefined, { attempt }: { attempt: number }): void => {
    if (attempt < 2) fail();
  };
  await bench.work(
    [
      dag('lively', { alerts: { onSuccess: true, onRetry: true } }, ({ task }) => {
        task('loud', secondTime, undefined, { ...again, alerts: { topic: 'loud', onSuccess: true } });
        task('quiet', secondTime, undefined, { ...again, alerts: { onRetry: false } });
      }),
    ],
    { notifier },
  );
  const run = await bench.start('lively');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  await alertEvents(bench, run, 6);
  expect(heard.map(({ title, topic, severity }) => `${title} · ${topic} · ${severity}`).toSorted()).toEqual([
    'lively 2026-01-01 succeeded · lively · info',
    'lively 2026-01-01: attempt 1 of loud failed and is tried again · loud · warning',
    'lively 2026-01-01: loud succeeded · loud · info',
  ]);
});

test('a deadline passes for a task that never starts, while its upstream or its worker is waited for', async () => {
  await using bench = await openBench();
  const { notifier, heard } = listener();
  const deadline = { after: '1s', from: 'queued' } as const;
  const late = dag('late', { alerts: { deadline } }, ({ task, sensor }) => {
    const ready = sensor('ready', () => ({ done: false }), undefined, { timeout: '1h', pokeEvery: '1h' });
    task('gold', one, undefined, { alerts: { deadline } }).after(ready);
    task('early', one, undefined, { alerts: { deadline: { after: '30s', from: 'started' } } });
  });
  await bench.work([late], { notifier });
  const run = await bench.start('late');
  await alertEvents(bench, run, 4);
  expect(heard.map(({ title }) => title).sort()).toEqual([
    'late 2026-01-01: gold has not ended 1s after it was created',
    'late 2026-01-01: the run has not ended 1s after it was created',
  ]);
  await cancelRun(bench.client, run);
  expect(await bench.result(run)).toMatchObject({ state: 'cancelled' });
  expect(heard).toHaveLength(2);
});

test('a deadline passes while the run waits for its turn', async () => {
  await using bench = await openBench();
  const { notifier, heard } = listener();
  let open = false;
  const options = {
    maxActiveRuns: 1,
    alerts: { deadline: { after: '1s', from: 'queued' } },
  } as const;
  const crowded = dag('crowded', options, ({ sensor }) => {
    sensor('ready', () => ({ done: open }), undefined, { timeout: '1h', pokeEvery: '1s' });
  });
  await bench.work([crowded], { notifier });
  const first = await bench.start('crowded');
  await eventually(
    'the first to begin',
    async () => (await bench.ledger.run(first.runId))?.queued === false || null,
  );
  const interval = { start: '2026-01-02T00:00:00Z', end: '2026-01-03T00:00:00Z' };
  const second = await bench.start('crowded', { interval });
  await alertEvents(bench, second, 2);
  expect(await bench.ledger.run(second.runId)).toMatchObject({ queued: true });
  expect(heard.map(({ title }) => title)).toContain(
    'crowded 2026-01-02: the run has not ended 1s after it was created',
  );
  open = true;
  expect(await bench.result(second)).toMatchObject({ state: 'success' });
});

test('a receiver that is down, then errs, then never answers gets its alert once it is back; others have had theirs once', async () => {
  await using bench = await openBench();
  await using ill = await openReceiver(500);
  await using well = await openReceiver();
  const notifier = allNotifiers({
    ill: webhookNotifier({ url: ill.url, timeoutMs: 300 }),
    well: webhookNotifier({ url: well.url }),
  });
  const spill = dag('spill', { alerts: { onFailure: true } }, ({ task }) => {
    task('broken', fail, undefined, once);
  });
  await bench.work([spill], { notifier }, { alertRetry: quick });
  const run = await bench.start('spill');
  // Told nobody yet, and ended all the same.
  expect(await bench.result(run)).toMatchObject({ state: 'failed' });
  await eventually('several tries', () => ill.asked() >= 3 || null);
  ill.answer = 'silence';
  const before = ill.asked();
  await eventually('tries without an answer', () => ill.asked() >= before + 2 || null);
  expect(await bench.ledger.run(run.runId)).toMatchObject({ state: 'failed' });
  ill.answer = 202;
  const events = await alertEvents(bench, run, 3);
  expect(events.filter(({ kind }) => kind === 'alert_delivered')).toHaveLength(2);
  expect(ill.accepted.map(({ key }) => key)).toEqual([`${run.runId}/failed`]);
  expect(well.accepted).toHaveLength(1);
});

test('what is refused for good, or for too long, is kept as not delivered', async () => {
  await using bench = await openBench();
  await using refusing = await openReceiver(404);
  await using down = await openReceiver(503);
  const notifier = allNotifiers({
    refusing: webhookNotifier({ url: refusing.url }),
    down: webhookNotifier({ url: down.url }),
  });
  const spill = dag('spill', { alerts: { onSuccess: true } }, ({ task }) => void task('fine', one));
  await bench.work([spill], { notifier }, { alertRetry: { ...quick, forMs: 2000 } });
  const run = await bench.start('spill');
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  const events = await alertEvents(bench, run, 3);
  expect(
    Object.fromEntries(
      events.slice(1).map(({ kind, payload }) => [payload['channel'], [kind, payload['message']]]),
    ),
  ).toEqual({
    refusing: ['alert_failed', expect.stringContaining('HTTP 404')],
    down: ['alert_failed', expect.stringContaining('HTTP 503')],
  });
  expect(refusing.asked()).toBe(1);
  expect(await bench.ledger.run(run.runId)).toMatchObject({ state: 'success' });
});

test('a run that is refused is told, though the ledger knows nothing of it', async () => {
  await using bench = await openBench();
  const { notifier, heard } = listener();
  const options = {
    params: { shop: { type: 'string', required: true } },
    alerts: { topic: 'oncall', onFailure: true },
  } as const;
  await bench.work([dag('choosy', options, ({ task }) => void task('fine', one))], { notifier });
  const run = await bench.start('choosy', { params: { shop: 7 } });
  expect(await bench.result(run)).toMatchObject({ state: 'failed' });
  expect(await bench.ledger.run(run.runId)).toBeNull();
  const events = await alertEvents(bench, run, 2);
  expect(events.map(({ kind }) => kind)).toEqual(['alert_raised', 'alert_delivered']);
  expect(heard).toMatchObject([
    {
      key: `${run.runId}/refused`,
      topic: 'oncall',
      severity: 'error',
      title: 'choosy 2026-01-01 was refused and never began',
      message: expect.stringContaining('shop') as string,
    },
  ]);
});

test('success is told of a run that the ledger has as one, not of one that was closed otherwise before', async () => {
  await using bench = await openBench();
  const { notifier, heard } = listener();
  const closed = dag('closed_before', { alerts: { onSuccess: true } }, ({ task }) => {
    task('fine', async (_: undefined, { run }: TaskContext) => {
      await bench.ledger.endRun(run.id, 'cancelled', new Date().toISOString(), null);
    });
  });
  await bench.work([closed], { notifier });
  const run = await bench.start('closed_before');
  expect(await bench.result(run)).toMatchObject({ state: 'cancelled' });
  const { events } = await bench.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  const begun = events!.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
  expect(begun).toEqual([]);
  expect(heard).toEqual([]);
});
