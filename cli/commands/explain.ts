import { pc } from '../colours.ts';
import { explanationText } from '../../dag/explain-text.ts';
import type { Ledger, RunRecord } from '../../ports/ledger.ts';
import { explainRun, type ExplainedTask, type RunReason } from '../../workers/explain-run.ts';
import { queuePollers } from '../../workers/queue-pollers.ts';
import { UsageError, type Cli } from '../cli.ts';
import { heldText } from '../operator-view.ts';
import { instant, runStateText, stateText } from '../format.ts';
import { withSession, type Session } from '../session.ts';
import { textTable } from '../text-table.ts';
import { findAnyRun, type UnbegunRun } from '../unbegun-run.ts';
import { unpolledText } from '../unpolled.ts';

const namedRuns = 5;

function reasonText(
  reason: RunReason,
  { workflowId, dagId }: Pick<RunRecord, 'workflowId' | 'dagId'>,
): string {
  switch (reason.kind) {
    case 'no_worker_polls': {
      const last =
        reason.lastSeenAt === null
          ? 'none was seen lately'
          : `the last was seen at ${instant(reason.lastSeenAt)}`;
      return `no worker polls the task queue ${reason.taskQueue}; ${last}. Start one: \`ingot worker\`, or \`ingot dev\`.`;
    }
    case 'queue_not_polled':
      return unpolledText(reason);
    case 'no_worker_knows_dag':
      return `no worker asked so far knows the DAG ${dagId}. Start one whose definitions have it.`;
    case 'no_worker_answers':
      return 'no worker answered for the run just now: what follows is what the ledger knows.';
    case 'max_active_runs': {
      const { active, ahead, maxActiveRuns } = reason;
      const shown =
        active.length > namedRuns
          ? [...active.slice(0, namedRuns), `${active.length - namedRuns} more`]
          : active;
      const queue = ahead === 0 ? '' : `; ${ahead} began to wait before`;
      return `waits for its turn: maxActiveRuns ${maxActiveRuns} of ${dagId} is reached by ${shown.join(', ') || 'none any more: it looks again soon'}${queue}.`;
    }
    case 'held':
      return `${heldText({ workflowId })} Failed: ${reason.failed.join(', ')}.`;
    case 'cancelling':
      return 'it is being cancelled, and waits for its running attempts to stop.';
    case 'ended':
      return `it ended as ${reason.state} at ${instant(reason.at)}.`;
  }
}

function whyText(task: ExplainedTask, workflowId: string): string {
  const { explanation, failure, pending, job, key, state } = task;
  // The ledger knows that it waits, and only the run itself knows for what.
  if (explanation.kind === 'running' && state !== 'running') return 'as the ledger heard last';
  const text = explanationText(explanation, failure);
  if (explanation.kind === 'waiting' && explanation.for.reason === 'approval')
    return `${text}: \`ingot tasks approve|reject ${workflowId} ${key}\``;
  if (job !== null) return `${text}: waits for ${job.label}${job.link === undefined ? '' : ` (${job.link})`}`;
  if (pending === null) return text;
  const worker = pending.worker === null ? '' : ` (${pending.worker})`;
  const tries = pending.lastFailure === null ? '' : `, try ${pending.tries} after: ${pending.lastFailure}`;
  return `${text}: ${pending.state}${pending.state === 'on a worker' ? worker : ''}${tries}`;
}

function chosen(tasks: readonly ExplainedTask[], task: string | undefined): readonly ExplainedTask[] {
  if (task === undefined) return tasks;
  const found = tasks.filter(({ key }) => key === task || key.startsWith(`${task}[`));
  if (found.length > 0) return found;
  throw new UsageError(
    `expected a task of the run (${tasks.map(({ key }) => key).join(', ')}); found ${task}.`,
  );
}

/** Of a run that no worker has begun. */
async function explainUnbegun(cli: Cli, session: Session, run: UnbegunRun, json: boolean): Promise<void> {
  const { client, namespace } = await session.temporal();
  const { taskQueue, workers, lastSeenAt } = await queuePollers(client, namespace, session.config.taskQueue);
  const reason: RunReason =
    workers.length === 0
      ? { kind: 'no_worker_polls', taskQueue, lastSeenAt }
      : { kind: 'no_worker_knows_dag' };
  cli.print(
    json
      ? JSON.stringify({ workflowId: run.workflowId, reasons: [reason], tasks: [] })
      : `${pc.bold(run.workflowId)}  was started, and has not begun: ${reasonText(reason, run)}`,
  );
}

/** Of a run that is not there: whether its DAG is paused. */
async function explainAbsent(cli: Cli, ledger: Ledger, text: string, json: boolean): Promise<boolean> {
  const dagId = text.replace(/-\d{4}-\d{2}-\d{2}T[\d:.]+Z$/, '');
  const clock = dagId === text ? null : await ledger.clock(dagId);
  if (clock?.paused !== true) return false;
  cli.print(
    json
      ? JSON.stringify({ workflowId: text, reasons: [{ kind: 'dag_paused', dagId }], tasks: [] })
      : `There is no run ${text}, and ${dagId} is paused: ticks start nothing until \`ingot dags unpause ${dagId}\`.`,
  );
  return true;
}

export async function runsExplain(
  cli: Cli,
  text: string,
  task: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  await withSession(cli, { temporal: true }, async (session) => {
    const [{ client, namespace }, { ledger }] = await Promise.all([session.temporal(), session.readers()]);
    const found = await findAnyRun(ledger, client, text).catch(async (error: unknown) => {
      if (error instanceof UsageError && (await explainAbsent(cli, ledger, text, json))) return null;
      throw error;
    });
    if (found === null) return;
    if ('unbegun' in found) return explainUnbegun(cli, session, found.unbegun, json);
    const { run } = found;
    const { taskQueue } = session.config;
    const explained = await explainRun({ client, namespace, ledger, taskQueue }, run);
    const tasks = chosen(explained.tasks, task);
    if (json) return cli.print(JSON.stringify({ ...explained, tasks }));
    cli.print(`${pc.bold(run.workflowId)}  ${runStateText(run)}`);
    for (const reason of explained.reasons) cli.print(`- ${reasonText(reason, run)}`);
    const shown = task === undefined ? tasks.filter(({ state }) => state !== 'success') : tasks;
    const rows = shown.map((each) => [each.key, stateText(each.state), whyText(each, run.workflowId)]);
    if (rows.length > 0) cli.print(`\n${textTable(['TASK', 'STATE', 'WHY'], rows)}`);
    const done = tasks.length - shown.length;
    if (done > 0) cli.print(`${done} ${done === 1 ? 'task has' : 'tasks have'} ended with success.`);
  });
}
