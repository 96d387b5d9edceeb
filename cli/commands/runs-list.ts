import type { RunFilter } from '../../ports/ledger.ts';
import { wholeNumber } from '../arguments.ts';
import { UsageError, type Cli } from '../cli.ts';
import { elapsed, instant, runStateText } from '../format.ts';
import { linkTo, listLink } from '../links.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

const states = ['queued', 'running', 'held', 'success', 'failed', 'cancelled'] as const;

/** Queued and held runs are open as well. */
function filterOf(state: (typeof states)[number] | undefined): Pick<RunFilter, 'state' | 'queued' | 'held'> {
  if (state === undefined) return {};
  if (state === 'held') return { held: true };
  return state === 'queued' || state === 'running'
    ? { state: 'running', queued: state === 'queued', held: false }
    : { state };
}

export interface RunsListFlags {
  readonly dag?: string;
  readonly state?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** The same list, as the Temporal UI is asked for it. */
function uiQuery(dagId: string | undefined, state: (typeof states)[number] | undefined): string {
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
      ...filterOf(state),
    });
    if (flags.json)
      return cli.print(JSON.stringify(runs.map((run) => ({ ...run, link: linkTo(session, run) }))));
    if (runs.length === 0 && (flags.dag !== undefined || state !== undefined))
      return cli.print(
        `No ${state === undefined ? '' : `${state} `}runs${flags.dag === undefined ? '' : ` of ${flags.dag}`}.`,
      );
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
