import { pc } from './colours.ts';
import type { Client } from '@temporalio/client';
import { changeProblems } from '../dag/change-problems.ts';
import { previewChange, previewUnfinished, type PreviewedInstance } from '../dag/preview.ts';
import type { OperatorChange } from '../dag/reducer.ts';
import type { Ledger, RunRecord } from '../ports/ledger.ts';
import { changeOpenRun, restartRun, standingOf, type Standing } from '../workers/operate.ts';
import { UsageError, type Cli } from './cli.ts';
import { noteShortStack } from './commands/deploy.ts';
import { findRun } from './find-run.ts';
import { stateText } from './format.ts';
import { withSession } from './session.ts';
import { textTable } from './text-table.ts';

export interface ChangeFlags {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const reasons: Readonly<Record<PreviewedInstance['why'], string>> = {
  asked: 'asked for',
  depends: 'depends on one of these',
  reacted: 'ran because one of these failed',
  unfinished: 'had not ended when the run did',
};

interface Previewed {
  readonly instances: readonly PreviewedInstance[];
  /** Instances that stay as they are. */
  readonly kept: number;
}

function previewed(
  { plan, progress }: Standing,
  closed: boolean,
  change: Exclude<OperatorChange, { type: 'approval_answered' }>,
): Previewed {
  const changed = previewChange(plan, progress, change);
  const instances = closed ? [...changed, ...previewUnfinished(progress, changed)] : changed;
  const known = new Set(instances.map(({ key }) => key));
  const mapped = new Set(
    Object.values(progress.instances).flatMap(({ mapIndex, taskId }) => (mapIndex === null ? [] : [taskId])),
  );
  const kept = Object.values(progress.instances).filter(
    ({ key, taskId, state }) => state !== 'none' && !mapped.has(key) && !known.has(key) && !known.has(taskId),
  );
  return { instances, kept: kept.length };
}

/** With no task named, all that failed is asked for. */
function whyText({ why, state }: PreviewedInstance, change: OperatorChange): string {
  const isDefault = change.type === 'tasks_cleared' && change.tasks.length === 0;
  if (why !== 'asked' || !isDefault) return reasons[why];
  return state === 'upstream_failed' ? 'could not run' : 'failed';
}

function previewText({ instances, kept }: Previewed, change: OperatorChange): string {
  const rows = instances.map((each) => [
    each.key,
    stateText(each.state),
    each.becomes,
    whyText(each, change),
  ]);
  const others =
    kept === 0
      ? ''
      : `\n${kept} more ${kept === 1 ? 'stays' : 'stay'} as ${kept === 1 ? 'it is' : 'they are'}.`;
  return `${textTable(['TASK', 'IS', 'THEN', 'WHY'], rows)}${others}`;
}

function refuseUnfit({ plan, progress }: Standing, run: RunRecord, change: OperatorChange): void {
  const problems = changeProblems(plan, progress, change);
  if (problems.length > 0)
    throw new UsageError(
      `${run.workflowId}:\n${problems.map(({ place, message }) => `- ${place}: ${message}`).join('\n')}`,
    );
}

/** A change is made to the latest run of an interval: an earlier one was made up for already. */
async function refuseOlder(ledger: Ledger, run: RunRecord): Promise<void> {
  const latest = (await ledger.runs({ workflowId: run.workflowId, limit: 1 }))[0];
  if (latest === undefined || latest.runId === run.runId) return;
  throw new UsageError(
    `expected the latest run of ${run.workflowId}; found ${run.runId}, since which ${latest.runId} began. Name that one, or the workflow id.`,
  );
}

interface Made {
  readonly runId: string;
  readonly workflowId: string;
  /** The closed run that was started again, or null for one that was open. */
  readonly from: string | null;
}

async function make(
  client: Client,
  taskQueue: string,
  run: RunRecord,
  change: OperatorChange,
): Promise<Made> {
  const { workflowId, runId } = run;
  if (run.state === 'running') {
    await changeOpenRun(client, run, change);
    return { runId, workflowId, from: null };
  }
  const started = await restartRun(client, taskQueue, run, change);
  return { ...started, from: runId };
}

/** Makes a change to a run, in place while it is open and else by starting it again; `said` tells what was done. */
export async function changeRun(
  cli: Cli,
  text: string,
  change: OperatorChange,
  { dryRun = false, json = false }: ChangeFlags,
  said: string,
): Promise<void> {
  await withSession(cli, { temporal: true }, async (session) => {
    const [{ client }, { ledger }] = await Promise.all([session.temporal(), session.readers()]);
    const run = await findRun(ledger, text);
    await refuseOlder(ledger, run);
    const standing = await standingOf(client, ledger, run);
    refuseUnfit(standing, run, change);
    const closed = run.state !== 'running';
    const preview = change.type === 'approval_answered' ? null : previewed(standing, closed, change);
    if (dryRun && preview !== null) {
      if (json) return cli.print(JSON.stringify({ runId: run.runId, restarts: closed, ...preview }));
      cli.print(previewText(preview, change));
      if (closed) cli.print('The run has ended: it would start again as a new run of the interval.');
      return;
    }
    const made = await make(client, session.config.taskQueue, run, change);
    if (json) return cli.print(JSON.stringify({ ...made, instances: preview?.instances ?? [] }));
    if (preview !== null) cli.print(`${previewText(preview, change)}\n`);
    const then = made.from === null ? 'goes on' : `starts again as run ${made.runId}`;
    cli.print(`${pc.bold(run.workflowId)}  ${said}; it ${then}.`);
    noteShortStack(cli, session, 'runs');
  });
}
