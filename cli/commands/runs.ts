import { pc } from '../colours.ts';
import type { RunState } from '../../dag/plan.ts';
import type { Publication, RunRecord } from '../../ports/ledger.ts';
import { operatorEvents } from '../../dag/operator-event.ts';
import { cancelRun, runResult } from '../../workers/client.ts';
import { turnOf } from '../../workers/explain-run.ts';
import { UsageError, type Cli } from '../cli.ts';
import { wholeNumber } from '../arguments.ts';
import { findRun } from '../find-run.ts';
import { linkTo, listLink } from '../links.ts';
import { approvalText, changeText, heldText, shownAttempts, waitingApprovals } from '../operator-view.ts';
import { count, elapsed, instant, runStateText, short, stateText } from '../format.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { unpolledOf, unpolledText } from '../unpolled.ts';

const states: readonly (RunState | 'held')[] = ['running', 'held', 'success', 'failed', 'cancelled'];

export interface RunsListFlags {
  readonly dag?: string;
  readonly state?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** The same list, as the Temporal UI is asked for it. */
function uiQuery(dagId: string | undefined, state: RunState | 'held' | undefined): string {
  const parts = [
    dagId === undefined ? 'IngotDag is not null' : `IngotDag = '${dagId.replaceAll("'", "''")}'`,
    ...(state === undefined ? [] : [`IngotState = '${state}'`]),
  ];
  return parts.join(' and ');
}

export async function runsList(cli: Cli, flags: RunsListFlags): Promise<void> {
  const state = states.find((known) => known === flags.state);
  if (flags.state !== undefined && state === undefined)
    throw new UsageError(`expected --state ${states.join(' | ')}; found ${flags.state}.`);
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const runs = await ledger.runs({
      limit: wholeNumber('--limit', flags.limit),
      ...(flags.dag === undefined ? {} : { dagId: flags.dag }),
      ...(state === undefined ? {} : state === 'held' ? { held: true } : { state }),
    });
    if (flags.json)
      return cli.print(JSON.stringify(runs.map((run) => ({ ...run, link: linkTo(session, run) }))));
    if (runs.length === 0) return cli.print('No runs. Start one with `ingot run <dag> --date YYYY-MM-DD`.');
    const rows = runs.map((run) => [
      run.dagId,
      instant(run.logicalDate).slice(0, 16),
      run.type,
      runStateText(run),
      instant(run.startedAt),
      elapsed(run.startedAt, run.endedAt),
      run.runId,
    ]);
    cli.print(textTable(['DAG', 'LOGICAL DATE', 'TYPE', 'STATE', 'STARTED', 'TOOK', 'RUN'], rows));
    const link = listLink(session, uiQuery(flags.dag, state));
    if (link !== null) cli.print(`\n${link}`);
  });
}

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

export async function runsShow(cli: Cli, text: string, options: { readonly json?: boolean }): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const run = await findRun(ledger, text);
    const [attempts, publications, changes, plan] = await Promise.all([
      ledger.attempts(run.runId),
      ledger.history({ runId: run.runId, limit: 1000 }),
      ledger.events({ keyPrefix: operatorEvents(run.runId), limit: 100 }),
      ledger.plan(run.planHash),
    ]);
    const approvals = waitingApprovals(run, plan, attempts);
    const link = linkTo(session, run);
    const waiting = run.queued ? await turnOf(ledger, run) : null;
    const unpolled = await unpolledOf(cli, session, ledger, run);
    if (options.json)
      return cli.print(
        JSON.stringify({ run, waiting, unpolled, approvals, changes, attempts, publications, link }),
      );
    cli.print(
      `${pc.bold(run.workflowId)}  ${runStateText(run)}  ${run.type}  ${elapsed(run.startedAt, run.endedAt)}`,
    );
    cli.print(
      pc.dim(
        `run ${run.runId}  interval ${run.intervalStart} to ${run.intervalEnd}  plan ${short(run.planHash)}  build ${run.build}`,
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
      attempt.mapIndex < 0 ? attempt.taskId : `${attempt.taskId}[${attempt.mapIndex}]`,
      String(attempt.attempt),
      stateText(attempt.state),
      elapsed(attempt.startedAt, attempt.endedAt),
      attempt.state === 'success'
        ? (rowsOf.get(`${attempt.taskId}/${attempt.mapIndex}`) ?? '')
        : (attempt.failure?.message ?? ''),
    ]);
    if (rows.length > 0)
      cli.print(
        `\n${textTable(['TASK', 'ATTEMPT', 'STATE', 'TOOK', 'ROWS'], rows, ['left', 'right', 'left', 'right'])}`,
      );
    if (link !== null) cli.print(`\n${link}`);
  });
}

export async function runsCancel(
  cli: Cli,
  text: string,
  options: { readonly json?: boolean },
): Promise<void> {
  await withSession(cli, { temporal: true }, async (session) => {
    const { ledger } = await session.readers();
    const run = await findRun(ledger, text);
    if (run.state !== 'running')
      throw new UsageError(
        `expected a run that is under way; found ${run.workflowId}, ${run.state} since ${instant(run.endedAt)}.`,
      );
    const { client } = await session.temporal();
    await cancelRun(client, run);
    const result = await runResult(client, run);
    if (options.json)
      cli.print(JSON.stringify({ runId: run.runId, workflowId: run.workflowId, state: result.state }));
    else cli.print(`${run.workflowId} is ${result.state}.`);
  });
}
