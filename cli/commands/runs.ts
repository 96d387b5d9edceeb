import { pc } from '../colours.ts';
import type { RunState } from '../../dag/plan.ts';
import type { Ledger, Publication, RunRecord } from '../../ports/ledger.ts';
import { cancelRun, runResult, temporalUiLink } from '../../workers/client.ts';
import { UsageError, type Cli } from '../cli.ts';
import { wholeNumber } from '../arguments.ts';
import { findRun } from '../find-run.ts';
import { count, elapsed, instant, runStateText, short, stateText } from '../format.ts';
import { withSession, type Session } from '../session.ts';
import { unchangedOf, unchangedText } from '../unchanged.ts';
import { textTable } from '../text-table.ts';

const states: readonly RunState[] = ['running', 'success', 'failed', 'cancelled'];

export interface RunsListFlags {
  readonly dag?: string;
  readonly state?: string;
  readonly limit: string;
  readonly json?: boolean;
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
      ...(state === undefined ? {} : { state }),
    });
    if (flags.json) return cli.print(JSON.stringify(runs));
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
  });
}

function linkTo(session: Session, run: RunRecord): string | null {
  return session.config.temporalUi === null
    ? null
    : temporalUiLink(session.config.temporalUi, session.env['TEMPORAL_NAMESPACE'] ?? 'default', run);
}

function rowsByTable(outputs: Publication['outputs']): string {
  const rows = new Map<string, number>();
  for (const output of outputs) rows.set(output.table, (rows.get(output.table) ?? 0) + output.rows);
  return [...rows].map(([table, sum]) => `${table} ${count(sum)}`).join(', ');
}

interface Waiting {
  readonly maxActiveRuns: number;
  /** Workflow ids of the runs that have their turn. */
  readonly active: readonly string[];
  /** Runs that began to wait before. */
  readonly ahead: number;
}

async function waitingFor(ledger: Ledger, run: RunRecord): Promise<Waiting> {
  const [open, plan] = await Promise.all([
    ledger.runs({ dagId: run.dagId, state: 'running', limit: 10_000 }),
    ledger.plan(run.planHash),
  ]);
  const others = open.filter((other) => other.type !== 'backfill' && other.runId !== run.runId);
  return {
    maxActiveRuns: plan?.maxActiveRuns ?? 0,
    active: others.filter((other) => !other.queued).map((other) => other.workflowId),
    ahead: others.filter((other) => other.queued && other.startedAt < run.startedAt).length,
  };
}

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
    const [attempts, publications] = await Promise.all([
      ledger.attempts(run.runId),
      ledger.history({ runId: run.runId, limit: 1000 }),
    ]);
    const unchanged = await unchangedOf(ledger, run.runId);
    const given = run.type === 'event' ? await ledger.assetRunOf(run.runId) : null;
    const link = linkTo(session, run);
    const waiting = run.queued ? await waitingFor(ledger, run) : null;
    if (options.json)
      return cli.print(
        JSON.stringify({ run, waiting, attempts, publications, unchanged, triggeringEvents: given, link }),
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
    if (run.failure !== null) cli.print(`${pc.red('failed')} in ${run.failure.task}: ${run.failure.message}`);
    const rowsOf = written(publications);
    const rows = attempts.map((attempt) => [
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
    const left = unchangedText(unchanged);
    if (left !== null) cli.print(`\n${left}`);
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
