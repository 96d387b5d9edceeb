import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { pc } from '../colours.ts';
import { operatorEvents } from '../../dag/operator-event.ts';
import { waitText } from '../../dag/wait-text.ts';
import type { AttemptRecord, Publication, RunRecord } from '../../ports/ledger.ts';
import { cancelRun, runResult, type RunHandle, type RunResult } from '../../workers/client.ts';
import { turnOf } from '../../workers/explain-run.ts';
import { queuePollers } from '../../workers/queue-pollers.ts';
import { UsageError, type Cli } from '../cli.ts';
import { findRun } from '../find-run.ts';
import { linkTo } from '../links.ts';
import { approvalText, changeText, heldText, shownAttempts, waitingApprovals } from '../operator-view.ts';
import { count, elapsed, instant, runStateText, short, stateText } from '../format.ts';
import { alertsOfRun, alertTable } from '../run-alerts.ts';
import { waitsOf } from '../run-waits.ts';
import { withSession } from '../session.ts';
import { unchangedOf, unchangedText } from '../unchanged.ts';
import { textTable } from '../text-table.ts';
import { findAnyRun } from '../unbegun-run.ts';
import { unpolledOf, unpolledText } from '../unpolled.ts';

function rowsByTable(outputs: Publication['outputs']): string {
  const rows = new Map<string, number>();
  for (const output of outputs) rows.set(output.table, (rows.get(output.table) ?? 0) + output.rows);
  return [...rows].map(([table, sum]) => `${table} ${count(sum)}`).join(', ');
}

type Waiting = Awaited<ReturnType<typeof turnOf>>;

function waitingText({ dagId }: RunRecord, { maxActiveRuns, active, ahead }: Waiting): string {
  const queue = ahead === 0 ? '' : `; ${ahead} began to wait before`;
  const shown = active.length > 5 ? [...active.slice(0, 5), `${active.length - 5} more`] : active;
  return `${pc.yellow('waits')} for its turn: maxActiveRuns ${maxActiveRuns} of ${dagId} is reached by ${shown.join(', ') || 'none any more: it looks again soon'}${queue}`;
}

function written(publications: readonly Publication[]): Map<string, string> {
  return new Map(
    publications.map(({ taskId, mapIndex, outputs }) => [`${taskId}/${mapIndex}`, rowsByTable(outputs)]),
  );
}

function keyOf({ taskId, mapIndex }: AttemptRecord): string {
  return mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`;
}

function remark(
  attempt: AttemptRecord,
  rowsOf: ReadonlyMap<string, string>,
  waits: Awaited<ReturnType<typeof waitsOf>>,
): string {
  if (attempt.state === 'success') return rowsOf.get(`${attempt.taskId}/${attempt.mapIndex}`) ?? '';
  const waiting = attempt.state === 'waiting' ? waits.get(keyOf(attempt)) : undefined;
  return waiting === undefined
    ? (attempt.failure?.message ?? '')
    : waitText(waiting, (ms) => new Date(ms).toISOString());
}

export async function runsShow(cli: Cli, text: string, options: { readonly json?: boolean }): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const run = await findRun(ledger, text);
    const [attempts, publications, changes, plan, alerts, unchanged] = await Promise.all([
      ledger.attempts(run.runId),
      ledger.history({ runId: run.runId, limit: 1000 }),
      ledger.events({ keyPrefix: operatorEvents(run.runId), limit: 100 }),
      ledger.plan(run.planHash),
      alertsOfRun(ledger, run.runId),
      unchangedOf(ledger, run.runId),
    ]);
    const approvals = waitingApprovals(run, plan, attempts);
    const given = run.type === 'event' ? await ledger.assetRunOf(run.runId) : null;
    const link = linkTo(session, run);
    const waiting = run.queued ? await turnOf(ledger, run) : null;
    const unpolled = await unpolledOf(cli, session, ledger, run);
    const waits = await waitsOf(ledger, run, attempts);
    if (options.json)
      return cli.print(
        JSON.stringify({
          run,
          waiting,
          unpolled,
          approvals,
          changes,
          attempts,
          waits: Object.fromEntries(waits),
          publications,
          unchanged,
          triggeringEvents: given,
          alerts,
          link,
        }),
      );
    cli.print(
      `${pc.bold(run.workflowId)}  ${runStateText(run)}  ${run.type}  ${elapsed(run.startedAt, run.endedAt)}`,
    );
    cli.print(
      pc.dim(
        `run ${run.runId}  interval ${run.intervalStart} to ${run.intervalEnd}  plan ${short(run.planHash)}  build ${run.build}`,
      ),
    );
    if (given !== null)
      cli.print(
        pc.dim(
          `events: ${given.assets.map(({ asset, count: of }) => `${count(of)} of ${asset}`).join(', ')}`,
        ),
      );
    if (waiting !== null) cli.print(waitingText(run, waiting));
    for (const each of unpolled) cli.print(unpolledText(each));
    if (run.held) cli.print(heldText(run));
    for (const { task, message } of approvals) cli.print(approvalText(run, task, message));
    for (const change of changes.toReversed()) cli.print(pc.dim(changeText(change)));
    if (run.failure !== null) cli.print(`${pc.red('failed')} in ${run.failure.task}: ${run.failure.message}`);
    const rowsOf = written(publications);
    const rows = shownAttempts(attempts).map((attempt) => [
      keyOf(attempt),
      String(attempt.attempt),
      stateText(attempt.state),
      elapsed(attempt.startedAt, attempt.endedAt),
      remark(attempt, rowsOf, waits),
    ]);
    if (rows.length > 0)
      cli.print(
        `\n${textTable(['TASK', 'ATTEMPT', 'STATE', 'TOOK', 'ROWS'], rows, ['left', 'right', 'left', 'right'])}`,
      );
    const left = unchangedText(unchanged);
    if (left !== null) cli.print(`\n${left}`);
    if (alerts.length > 0) cli.print(`\n${alertTable(alerts)}`);
    if (link !== null) cli.print(`\n${link}`);
  });
}

export async function runsCancel(
  cli: Cli,
  text: string,
  options: { readonly json?: boolean },
): Promise<void> {
  await withSession(cli, { temporal: true }, async (session) => {
    const [{ client, namespace }, { ledger }] = await Promise.all([session.temporal(), session.readers()]);
    const found = await findAnyRun(ledger, client, text);
    if ('run' in found && found.run.state !== 'running')
      throw new UsageError(
        `expected a run that is under way; found ${found.run.workflowId}, ${found.run.state} since ${instant(found.run.endedAt)}.`,
      );
    const { runId, workflowId } = 'run' in found ? found.run : found.unbegun;
    await cancelRun(client, { runId, workflowId });
    const { taskQueue } = session.config;
    const state = await endedState(client, { runId, workflowId }, namespace, taskQueue);
    if (options.json) cli.print(JSON.stringify({ runId, workflowId, state: state ?? 'cancelling' }));
    else if (state !== null) cli.print(`${workflowId} is ${state}.`);
    else
      cli.print(
        `${workflowId} was asked to end. No worker polls the task queue ${taskQueue} now; the next one that does ends it.`,
      );
  });
}

const patienceMs = 5000;

/** How the run ended; null where no worker is there to end it. */
async function endedState(
  client: Client,
  run: RunHandle,
  namespace: string,
  taskQueue: string,
): Promise<RunResult['state'] | null> {
  const ended = runResult(client, run);
  ended.catch(() => undefined);
  const soon = await Promise.race([ended, delay(patienceMs, null, { ref: false })]);
  if (soon !== null) return soon.state;
  const { workers } = await queuePollers(client, namespace, taskQueue);
  return workers.length === 0 ? null : (await ended).state;
}
