import { pc } from '../colours.ts';
import type { RunnableDag } from '../../activities/boundary.ts';
import { intervalForDate } from '../../dag/interval.ts';
import { generators } from '../../pipelines/generators/index.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import { ExitError, type Cli } from '../cli.ts';
import { dateRange, wholeNumber } from '../arguments.ts';
import { printDemoReport } from '../demo-report.ts';
import { generateIntoLake } from '../generate-into-lake.ts';
import { bytes, count, duration, stateText } from '../format.ts';
import { runOnce, type FinishedRun } from '../run-once.ts';
import { withSession, type Session } from '../session.ts';
import { keepStack } from './dev.ts';

export interface DemoFlags {
  readonly keep?: boolean;
  readonly rows: string;
  readonly seed: string;
}

const firstDate = '2026-01-01';
const days = '3';

/** Shipped pipelines whose source can be generated. */
async function demoDags(): Promise<RunnableDag[]> {
  const definitions = await loadDefinitions();
  return [...definitions.values()].filter((dag) => generators[dag.id] !== undefined);
}

async function generateAll(
  cli: Cli,
  dags: readonly RunnableDag[],
  flags: DemoFlags,
  { config, env }: Session,
): Promise<void> {
  const dates = dateRange(firstDate, days);
  for (const { id } of dags) {
    const files = await generateIntoLake(config, env, (given) => generators[id]!.generate(given), {
      seed: flags.seed,
      rows: wholeNumber('--rows', flags.rows),
      dates,
      signal: cli.signal,
    });
    const size = files.reduce((sum, file) => sum + file.bytes, 0);
    const records = files.reduce((sum, file) => sum + file.truth.rows, 0);
    cli.print(
      `${pc.green('✓')} generated ${id}: ${dates.length} days, ${count(records)} rows, ${bytes(size)}, dirty on purpose`,
    );
  }
}

async function runAll(cli: Cli, session: Session, dags: readonly RunnableDag[]): Promise<FinishedRun[]> {
  const finished: FinishedRun[] = [];
  for (const dag of dags)
    for (const date of dateRange(firstDate, days)) {
      const startedAt = Date.now();
      const result = await runOnce(cli, session, dag, intervalForDate(dag.plan, date), {});
      const mark = result.state === 'success' ? pc.green('✓') : pc.red('✗');
      cli.print(
        `${mark} ran ${dag.id} for ${date}: ${stateText(result.state)} in ${duration(Date.now() - startedAt)}${result.message === null ? '' : `: ${result.message}`}`,
      );
      finished.push(result);
    }
  return finished;
}

export async function demo(cli: Cli, flags: DemoFlags): Promise<void> {
  const startedAt = Date.now();
  const dags = await demoDags();
  if (flags.keep) await keepStack(cli);
  await withSession(cli, { temporal: true }, async (session) => {
    cli.print(
      `${pc.green('✓')} the stack is up (${duration(Date.now() - startedAt)}): Temporal, Postgres, a worker`,
    );
    await generateAll(cli, dags, flags, session);
    const runs = await runAll(cli, session, dags);
    await printDemoReport(cli, session, dags, runs, flags.keep === true);
    if (runs.some((run) => run.state !== 'success')) throw new ExitError(1);
  });
}
