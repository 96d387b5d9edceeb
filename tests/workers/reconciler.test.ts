import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowOptions } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import type { AttemptRecord, Ledger } from '../../ports/ledger.ts';
import { reconcileRuns } from '../../workers/reconciler.ts';
import { runAlerts } from '../../workers/run-alerts.ts';
import { ledgersOn } from '../engines/postgres/ledger-fixture.ts';
import { hashOf, openRun, plan } from '../ports/ledger/fixture.ts';

const openLedger = ledgersOn(inject('postgresUrl'));
let connection: Connection;
let client: Client;

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection });
});
afterAll(() => connection.close());

/** An execution nobody works on, and its open run in the ledger. */
async function startRun(ledger: Ledger, options: Partial<WorkflowOptions> = {}) {
  const workflowId = `shop-${randomUUID()}`;
  const handle = await client.workflow.start('shop', {
    workflowId,
    taskQueue: 'nobody',
    args: [],
    ...options,
  });
  const runId = await openRun(ledger, { runId: handle.firstExecutionRunId, workflowId });
  return { handle, runId };
}

const running: AttemptRecord = {
  taskId: 'clean',
  mapIndex: -1,
  attempt: 1,
  state: 'running',
  scheduledAt: '2026-01-02T00:00:10Z',
  startedAt: null,
  endedAt: null,
  worker: 'w',
  failure: null,
  output: null,
};

test('a run whose execution was terminated is closed, with its attempts and one event', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const { handle, runId } = await startRun(ledger);
  const other = await startRun(ledger);
  const done: AttemptRecord = {
    ...running,
    taskId: 'ingest',
    state: 'success',
    endedAt: '2026-01-02T00:00:20Z',
  };
  await ledger.recordAttempts(runId, [done, running]);
  expect(await reconcileRuns({ ledger, client })).toEqual([]);
  await handle.terminate('by an operator');
  const [closed, ...rest] = await reconcileRuns({ ledger, client });
  expect(closed).toMatchObject({ run: { runId }, outcome: 'failed', execution: 'terminated' });
  expect(rest).toEqual([]);
  const run = await ledger.run(runId);
  expect(run).toMatchObject({ state: 'failed', failure: { type: 'ExecutionEnded', task: 'clean' } });
  expect(
    (await ledger.attempts(runId)).map((attempt) => [attempt.taskId, attempt.state, attempt.endedAt]),
  ).toEqual([
    ['clean', 'failed', run!.endedAt],
    ['ingest', 'success', done.endedAt],
  ]);
  expect(await reconcileRuns({ ledger, client })).toEqual([]);
  expect(await ledger.events({ kind: 'run_reconciled' })).toMatchObject([
    { key: `run:${runId}:reconciled`, payload: { runId, outcome: 'failed', execution: 'terminated' } },
  ]);
  expect(await ledger.run(other.runId)).toMatchObject({ state: 'running' });
  await other.handle.terminate();
});

test('a run whose execution timed out, or is not known any more, is closed as failed', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const late = await startRun(ledger, { workflowExecutionTimeout: '1s' });
  const lost = await openRun(ledger);
  const unknown = await openRun(ledger, { runId: randomUUID(), workflowId: late.handle.workflowId + '-x' });
  await vi.waitFor(async () => expect((await late.handle.describe()).status.name).toBe('TIMED_OUT'), 30_000);
  const closed = await reconcileRuns({ ledger, client });
  expect(Object.fromEntries(closed.map(({ run, execution }) => [run.runId, execution]))).toEqual({
    [late.runId]: 'timed out',
    [lost]: 'not found',
    [unknown]: 'not found',
  });
  for (const { outcome } of closed) expect(outcome).toBe('failed');
});

test('a run that was followed by another execution of its workflow id is closed by what became of itself', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const { handle, runId } = await startRun(ledger);
  await handle.terminate();
  const next = await client.workflow.start('shop', {
    workflowId: handle.workflowId,
    taskQueue: 'nobody',
    args: [],
  });
  expect(await reconcileRuns({ ledger, client })).toMatchObject([
    { run: { runId }, execution: 'terminated' },
  ]);
  await next.terminate();
});

test('a run that goes on in a further execution of its chain stays open until the last one ends', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const { handle, runId } = await startRun(ledger, {
    workflowRunTimeout: '1s',
    retry: { maximumAttempts: 2 },
  });
  const newest = client.workflow.getHandle(handle.workflowId);
  await vi.waitFor(async () => expect((await newest.describe()).runId).not.toBe(runId), 30_000);
  expect(await reconcileRuns({ ledger, client })).toEqual([]);
  await newest.terminate();
  expect(await reconcileRuns({ ledger, client })).toMatchObject([
    { run: { runId }, execution: 'terminated' },
  ]);
});

test('a round that was cut short before the run was closed is finished by the next, with one event', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const { handle, runId } = await startRun(ledger);
  await handle.terminate();
  const killed = { ...ledger, endRun: () => Promise.reject(new Error('killed')) };
  await expect(reconcileRuns({ ledger: killed, client })).rejects.toThrow('killed');
  expect(await ledger.run(runId)).toMatchObject({ state: 'running' });
  expect(await reconcileRuns({ ledger, client })).toHaveLength(1);
  expect(await ledger.events({ kind: 'run_reconciled' })).toHaveLength(1);
});

test('the alert of a run that could not raise it is raised, once, and also of one the next run replaced', async () => {
  await using fixture = await openLedger();
  const { ledger } = fixture;
  const alerting = { ...plan, alerts: { onFailure: { topic: 'shop', severity: 'error' as const } } };
  const taskQueue = 'nobody';
  const { handle, runId } = await startRun(ledger);
  const told = await openRun(ledger, {
    runId: randomUUID(),
    workflowId: `shop-${randomUUID()}`,
    plan: alerting,
    planHash: hashOf(alerting),
  });
  await handle.terminate();
  const alerts = runAlerts({ ledger, client, taskQueue });
  const killed = { ...ledger, endRun: () => Promise.reject(new Error('killed')) };
  await expect(reconcileRuns({ ledger: killed, client, tell: alerts.failed })).rejects.toThrow('killed');
  await reconcileRuns({ ledger, client, tell: alerts.failed });
  const alert = client.workflow.getHandle(`alert-${told}-failed`);
  expect(await alert.describe()).toMatchObject({ type: 'ingot.alert', status: { name: 'RUNNING' } });
  await alert.terminate();
  await expect(client.workflow.getHandle(`alert-${runId}-failed`).describe()).rejects.toThrow();

  const workflowId = `shop-${randomUUID()}`;
  const first = await openRun(ledger, { workflowId, plan: alerting, planHash: hashOf(alerting) });
  await openRun(ledger, { workflowId, startedAt: '2026-01-03T00:00:00Z' });
  // Its end is long ago: no news.
  await alerts.replaced();
  await expect(client.workflow.getHandle(`alert-${first}-failed`).describe()).rejects.toThrow();
  const second = await openRun(ledger, {
    workflowId: `${workflowId}-b`,
    plan: alerting,
    planHash: hashOf(alerting),
  });
  await openRun(ledger, { workflowId: `${workflowId}-b`, startedAt: new Date().toISOString() });
  await alerts.replaced();
  await alerts.replaced();
  const replaced = client.workflow.getHandle(`alert-${second}-failed`);
  expect(await replaced.describe()).toMatchObject({ type: 'ingot.alert' });
  await replaced.terminate();
});
