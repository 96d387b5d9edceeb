import { join } from 'node:path';
import { expect, test } from 'vitest';
import { instantText } from '../../dag/interval.ts';
import { scheduleId } from '../../workers/deploy.ts';
import { dags } from '../support/clocked-dags.ts';
import { startFleetWorker } from '../support/fleet.ts';
import { homeFolder } from '../support/home-folder.ts';
import { eventually } from '../support/processes.ts';
import { openBench, type Bench } from '../workflows/harness.ts';
import { deploy, runsOf } from '../workflows/schedules-harness.ts';

const hourMs = 3_600_000;
const support = join(import.meta.dirname, '../support');

/** Every interval up to now has a run, and none that is not over yet. */
async function ticksInTime(bench: Bench, from: string): Promise<void> {
  const to = Math.floor(Date.now() / 1000) * 1000;
  const wanted: string[] = [];
  for (let start = Date.parse(from); start < to; start += 1000) wanted.push(instantText(start));
  const starts = await eventually('a run of every interval', async () => {
    const found = (await runsOf(bench, 'clocked')).map((run) => run.intervalStart);
    return wanted.every((start) => found.includes(start)) ? found : null;
  });
  expect(starts.slice(0, wanted.length)).toEqual(wanted);
  expect(Math.max(...starts.map((start) => Date.parse(start) + 1000))).toBeLessThanOrEqual(Date.now());
}

/** Whether a run told of a missed deadline, and what time its worker thought it was. */
async function told(bench: Bench, dagId: string, day: number): Promise<{ missed: boolean; aheadMs: number }> {
  const at = (index: number) => `2026-01-0${index}T00:00:00Z`;
  const run = await bench.start(dagId, { interval: { start: at(day), end: at(day + 1) } });
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  const { events } = await bench.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  const alerts = events!.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
  const said = (await bench.ledger.attempts(run.runId)).find(({ taskId }) => taskId === 'say')?.output;
  return { missed: alerts.length > 0, aheadMs: typeof said === 'number' ? said - Date.now() : 0 };
}

test('a worker whose clock is hours ahead, and jumps hours back, neither misses nor anticipates a tick or a deadline', async () => {
  await using bench = await openBench();
  const { home, remove } = homeFolder();
  const env = {
    INGOT_DAGS: join(support, 'clocked-dags.ts'),
    SHIFTED_CLOCK_MS: String(3 * hourMs),
    NODE_OPTIONS: `--import=${join(support, 'shifted-clock.mjs')}`,
  };
  await deploy(bench, dags);
  const from = (await bench.ledger.clock('clocked'))!.tickedTo!;
  const { taskQueue, ledgerUrl } = bench;
  const worker = await startFleetWorker({ home, taskQueue, ledgerUrl, env });
  try {
    await ticksInTime(bench, from);
    const ahead = await told(bench, 'punctual', 1);
    expect(ahead.missed).toBe(false);
    expect(ahead.aheadMs).toBeGreaterThan(2 * hourMs);
    expect(await told(bench, 'tardy', 1)).toMatchObject({ missed: true });

    worker.child.kill('SIGUSR2');
    await ticksInTime(bench, from);
    const behind = await told(bench, 'punctual', 2);
    expect(behind.missed).toBe(false);
    expect(behind.aheadMs).toBeLessThan(-2 * hourMs);
    expect(await told(bench, 'tardy', 2)).toMatchObject({ missed: true });
  } finally {
    await bench.client.schedule.getHandle(scheduleId('clocked')).delete();
    worker.child.kill('SIGKILL');
    await worker.end;
    remove();
  }
});
