import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import type { TaskContext } from '../activities/task-context.ts';
import { createDagFactory } from '../dag/builder.ts';
import { instantText } from '../dag/interval.ts';
import type { BackfillRecord } from '../ports/backfill.ts';
import type { Ledger } from '../ports/ledger.ts';
import { createBackfill } from '../workers/backfills.ts';
import { noop } from './handwritten/activities.ts';
import { withStack } from './data/with-stack.ts';

/** A backfill of daily runs of three no-op tasks in a chain, on servers of its own. `--days 3650` takes ten years. */
const { values } = parseArgs({
  options: { days: { type: 'string', default: '365' }, 'max-active-runs': { type: 'string', default: '8' } },
});
const days = Number(values.days);
const maxActiveRuns = Number(values['max-active-runs']);
const limitMs = 100;

const dag = createDagFactory<TaskContext>();
const three = dag('three', { schedule: '@daily' }, ({ task }) => {
  const first = task('first', noop);
  const second = task('second', noop).after(first);
  task('third', noop).after(second);
});

async function endOf(ledger: Ledger, backfillId: string): Promise<BackfillRecord> {
  for (let rounds = 0; ; rounds += 1) {
    const backfill = await ledger.backfill(backfillId);
    if (backfill !== null && backfill.endedAt !== null) return backfill;
    if (rounds % 50 === 0) console.log(`  ${backfill?.counts.success ?? 0} of ${days} runs`);
    await delay(200);
  }
}

async function longestHistory(
  client: Client,
  workflowId: string,
): Promise<{ executions: number; events: number }> {
  let [executions, events] = [0, 0];
  for await (const each of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    executions += 1;
    events = Math.max(events, each.historyLength ?? 0);
  }
  return { executions, events };
}

async function measure(client: Client, ledger: Ledger): Promise<void> {
  const from = Date.UTC(2014, 0, 1);
  const begun = performance.now();
  const { backfillId, workflowId } = await createBackfill(client, {
    taskQueue: 'ingot',
    dagId: 'three',
    timetable: { schedule: { cron: '@daily' }, timezone: 'UTC' },
    from: instantText(from),
    to: instantText(from + (days - 1) * 86_400_000),
    backwards: false,
    reprocess: 'none',
    maxActiveRuns,
    params: {},
  });
  const backfill = await endOf(ledger, backfillId);
  const perRun = (performance.now() - begun) / days;
  if (backfill.state !== 'success' || backfill.counts.success !== days)
    throw new Error(`Expected ${days} successful runs; found ${JSON.stringify(backfill.counts)}.`);
  // Temporal's lists follow a moment later.
  await delay(2000);
  const { executions, events } = await longestHistory(client, workflowId);
  const verdict = perRun <= limitMs ? 'yes' : 'NO';
  console.log(
    `${days} daily runs of 3 tasks, ${maxActiveRuns} at a time: ${perRun.toFixed(1)} ms per run (at most ${limitMs}: ${verdict}); ${executions} executions, the longest of ${events} events`,
  );
}

await withStack([three], async ({ client, ledger }) => {
  await measure(client, ledger);
});
process.exit(0);
